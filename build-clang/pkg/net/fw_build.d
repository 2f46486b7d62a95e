build-clang/pkg/net/fw_build.o: pkg/net/fw_build.c pkg/net/net_priv.h \
  include/ctrcompose/net.h include/ctrcompose/base.h

pkg/net/net_priv.h:

include/ctrcompose/net.h:

include/ctrcompose/base.h:
