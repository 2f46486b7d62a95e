build-clang/cmd/ctrcompose/cmd_up.o: cmd/ctrcompose/cmd_up.c \
  cmd/ctrcompose/building.h cmd/ctrcompose/online.h cmd/ctrcompose/cmd.h \
  include/ctrcompose/base.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/daemon.h include/ctrcompose/plan.h \
  cmd/ctrcompose/follow.h

cmd/ctrcompose/building.h:

cmd/ctrcompose/online.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:

cmd/ctrcompose/follow.h:
