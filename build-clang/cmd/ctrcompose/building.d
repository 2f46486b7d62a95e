build-clang/cmd/ctrcompose/building.o: cmd/ctrcompose/building.c \
  cmd/ctrcompose/building.h cmd/ctrcompose/online.h cmd/ctrcompose/cmd.h \
  include/ctrcompose/base.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/daemon.h include/ctrcompose/plan.h \
  cmd/ctrcompose/store.h include/ctrcompose/image.h \
  include/ctrcompose/json.h include/ctrcompose/volume.h \
  include/ctrcompose/build.h include/ctrcompose/digest.h \
  include/ctrcompose/yaml.h

cmd/ctrcompose/building.h:

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

include/ctrcompose/build.h:

include/ctrcompose/digest.h:

include/ctrcompose/yaml.h:
