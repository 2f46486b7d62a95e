build-clang/pkg/build/job.o: pkg/build/job.c pkg/build/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h \
  include/ctrcompose/build.h include/ctrcompose/image.h \
  include/ctrcompose/json.h include/ctrcompose/model.h \
  include/ctrcompose/state.h include/ctrcompose/cgroup.h \
  include/ctrcompose/digest.h include/ctrcompose/dockerfile.h \
  include/ctrcompose/rootfs.h

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
