build-clang/pkg/net/proxy_udp.o: pkg/net/proxy_udp.c pkg/net/proxy.h \
  include/ctrcompose/loop.h include/ctrcompose/base.h pkg/net/net_priv.h \
  include/ctrcompose/net.h

pkg/net/proxy.h:

include/ctrcompose/loop.h:

include/ctrcompose/base.h:

pkg/net/net_priv.h:

include/ctrcompose/net.h:
