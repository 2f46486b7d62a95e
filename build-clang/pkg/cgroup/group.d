build-clang/pkg/cgroup/group.o: pkg/cgroup/group.c pkg/cgroup/internal.h \
  include/ctrcompose/cgroup.h include/ctrcompose/base.h

pkg/cgroup/internal.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/base.h:
