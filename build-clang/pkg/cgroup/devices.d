build-clang/pkg/cgroup/devices.o: pkg/cgroup/devices.c \
  pkg/cgroup/internal.h include/ctrcompose/cgroup.h \
  include/ctrcompose/base.h

pkg/cgroup/internal.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/base.h:
