build-clang/cmd/ctrcompose/cmd_verbs.o: cmd/ctrcompose/cmd_verbs.c \
  cmd/ctrcompose/online.h cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h include/ctrcompose/daemon.h \
  include/ctrcompose/plan.h

cmd/ctrcompose/online.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:
