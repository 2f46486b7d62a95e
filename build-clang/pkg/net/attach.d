build-clang/pkg/net/attach.o: pkg/net/attach.c pkg/net/net_priv.h \
  include/ctrcompose/net.h include/ctrcompose/base.h \
  include/ctrcompose/netlink.h

pkg/net/net_priv.h:

include/ctrcompose/net.h:

include/ctrcompose/base.h:

include/ctrcompose/netlink.h:
