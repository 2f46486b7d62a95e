build-clang/pkg/logs/follow.o: pkg/logs/follow.c pkg/logs/follow.h \
  pkg/logs/private.h include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/follow.h:

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
