build-clang/pkg/logs/fifo.o: pkg/logs/fifo.c pkg/logs/private.h \
  include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
