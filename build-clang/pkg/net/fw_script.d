build-clang/pkg/net/fw_script.o: pkg/net/fw_script.c pkg/net/net_priv.h \
  include/ctrcompose/net.h include/ctrcompose/base.h

pkg/net/net_priv.h:

include/ctrcompose/net.h:

include/ctrcompose/base.h:
