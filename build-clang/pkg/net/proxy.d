build-clang/pkg/net/proxy.o: pkg/net/proxy.c pkg/net/proxy.h \
  include/ctrcompose/loop.h include/ctrcompose/base.h pkg/net/net_priv.h \
  include/ctrcompose/net.h

pkg/net/proxy.h:

include/ctrcompose/loop.h:

include/ctrcompose/base.h:

pkg/net/net_priv.h:

include/ctrcompose/net.h:
