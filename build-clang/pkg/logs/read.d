build-clang/pkg/logs/read.o: pkg/logs/read.c pkg/logs/follow.h \
  pkg/logs/private.h include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/follow.h:

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
