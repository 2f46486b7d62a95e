build-clang/pkg/logs/record.o: pkg/logs/record.c pkg/logs/private.h \
  include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
