build-clang/cmd/ctrcompose/cmd_build.o: cmd/ctrcompose/cmd_build.c \
  cmd/ctrcompose/building.h cmd/ctrcompose/online.h cmd/ctrcompose/cmd.h \
  include/ctrcompose/base.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/daemon.h include/ctrcompose/plan.h

cmd/ctrcompose/building.h:

cmd/ctrcompose/online.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:
