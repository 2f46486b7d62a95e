build-clang/pkg/cgroup/stats.o: pkg/cgroup/stats.c pkg/cgroup/internal.h \
  include/ctrcompose/cgroup.h include/ctrcompose/base.h

pkg/cgroup/internal.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/base.h:
