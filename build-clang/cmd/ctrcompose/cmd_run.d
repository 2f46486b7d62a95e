build-clang/cmd/ctrcompose/cmd_run.o: cmd/ctrcompose/cmd_run.c \
  cmd/ctrcompose/inside.h cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h cmd/ctrcompose/online.h \
  include/ctrcompose/daemon.h include/ctrcompose/plan.h \
  include/ctrcompose/json.h

cmd/ctrcompose/inside.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

cmd/ctrcompose/online.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:

include/ctrcompose/json.h:
