build-clang/pkg/logs/source.o: pkg/logs/source.c pkg/logs/private.h \
  include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
