build-clang/pkg/net/ports.o: pkg/net/ports.c pkg/net/net_priv.h \
  include/ctrcompose/net.h include/ctrcompose/base.h

pkg/net/net_priv.h:

include/ctrcompose/net.h:

include/ctrcompose/base.h:
