build-clang/pkg/cgroup/layout.o: pkg/cgroup/layout.c \
  pkg/cgroup/internal.h include/ctrcompose/cgroup.h \
  include/ctrcompose/base.h

pkg/cgroup/internal.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/base.h:
