build-clang/pkg/logs/pump.o: pkg/logs/pump.c pkg/logs/intake.h \
  pkg/logs/private.h include/ctrcompose/logs.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/logs/intake.h:

pkg/logs/private.h:

include/ctrcompose/logs.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
