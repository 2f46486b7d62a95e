build-clang/pkg/build/layer.o: pkg/build/layer.c pkg/build/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h \
  include/ctrcompose/build.h include/ctrcompose/image.h \
  include/ctrcompose/json.h include/ctrcompose/model.h \
  include/ctrcompose/state.h include/ctrcompose/cgroup.h \
  include/ctrcompose/digest.h include/ctrcompose/dockerfile.h \
  include/ctrcompose/rootfs.h include/ctrcompose/archive.h

pkg/build/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:

include/ctrcompose/build.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/digest.h:

include/ctrcompose/dockerfile.h:

include/ctrcompose/rootfs.h:

include/ctrcompose/archive.h:
