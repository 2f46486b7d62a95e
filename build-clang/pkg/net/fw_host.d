build-clang/pkg/net/fw_host.o: pkg/net/fw_host.c pkg/net/net_priv.h \
  include/ctrcompose/net.h include/ctrcompose/base.h

pkg/net/net_priv.h:

include/ctrcompose/net.h:

include/ctrcompose/base.h:
