build-clang/cmd/ctrcompose/cmd_down.o: cmd/ctrcompose/cmd_down.c \
  cmd/ctrcompose/online.h cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h include/ctrcompose/daemon.h \
  include/ctrcompose/plan.h cmd/ctrcompose/store.h \
  include/ctrcompose/image.h include/ctrcompose/json.h \
  include/ctrcompose/volume.h

cmd/ctrcompose/online.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:

cmd/ctrcompose/store.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/volume.h:
