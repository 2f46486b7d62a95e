build-clang/pkg/cgroup/procs.o: pkg/cgroup/procs.c pkg/cgroup/internal.h \
  include/ctrcompose/cgroup.h include/ctrcompose/base.h

pkg/cgroup/internal.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/base.h:
