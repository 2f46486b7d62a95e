build-clang/pkg/net/bridge.o: pkg/net/bridge.c pkg/net/net_priv.h \
  include/ctrcompose/net.h include/ctrcompose/base.h \
  include/ctrcompose/netlink.h

pkg/net/net_priv.h:

include/ctrcompose/net.h:

include/ctrcompose/base.h:

include/ctrcompose/netlink.h:
