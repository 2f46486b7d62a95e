build-clang/cmd/ctrcompose/cmd_volume.o: cmd/ctrcompose/cmd_volume.c \
  cmd/ctrcompose/container.h cmd/ctrcompose/cmd.h \
  include/ctrcompose/base.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/json.h cmd/ctrcompose/store.h \
  include/ctrcompose/image.h include/ctrcompose/volume.h

cmd/ctrcompose/container.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/json.h:

cmd/ctrcompose/store.h:

include/ctrcompose/image.h:

include/ctrcompose/volume.h:
