build-clang/pkg/cgroup/limits.o: pkg/cgroup/limits.c \
  pkg/cgroup/internal.h include/ctrcompose/cgroup.h \
  include/ctrcompose/base.h

pkg/cgroup/internal.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/base.h:
