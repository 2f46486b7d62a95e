build-clang/pkg/cgroup/hier.o: pkg/cgroup/hier.c pkg/cgroup/internal.h \
  include/ctrcompose/cgroup.h include/ctrcompose/base.h

pkg/cgroup/internal.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/base.h:
