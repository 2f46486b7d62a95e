build-clang/pkg/logs/journal.o: pkg/logs/journal.c pkg/logs/private.h \
  include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
