build-clang/pkg/engine/asked.o: pkg/engine/asked.c pkg/engine/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h \
  include/ctrcompose/cgroup.h include/ctrcompose/dns.h \
  include/ctrcompose/loop.h include/ctrcompose/engine.h \
  include/ctrcompose/image.h include/ctrcompose/json.h \
  include/ctrcompose/model.h include/ctrcompose/logs.h \
  include/ctrcompose/plan.h include/ctrcompose/state.h \
  include/ctrcompose/net.h include/ctrcompose/netlink.h \
  include/ctrcompose/rootfs.h include/ctrcompose/volume.h

pkg/engine/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:

include/ctrcompose/cgroup.h:

include/ctrcompose/dns.h:

include/ctrcompose/loop.h:

include/ctrcompose/engine.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/model.h:

include/ctrcompose/logs.h:

include/ctrcompose/plan.h:

include/ctrcompose/state.h:

include/ctrcompose/net.h:

include/ctrcompose/netlink.h:

include/ctrcompose/rootfs.h:

include/ctrcompose/volume.h:
