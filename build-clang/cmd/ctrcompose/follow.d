build-clang/cmd/ctrcompose/follow.o: cmd/ctrcompose/follow.c \
  cmd/ctrcompose/follow.h cmd/ctrcompose/online.h cmd/ctrcompose/cmd.h \
  include/ctrcompose/base.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/daemon.h include/ctrcompose/plan.h \
  include/ctrcompose/logs.h include/ctrcompose/loop.h

cmd/ctrcompose/follow.h:

cmd/ctrcompose/online.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:

include/ctrcompose/logs.h:

include/ctrcompose/loop.h:
