build-clang/pkg/logs/intake.o: pkg/logs/intake.c pkg/logs/intake.h \
  pkg/logs/private.h include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/intake.h:

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
