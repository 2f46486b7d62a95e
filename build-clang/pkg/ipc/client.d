build-clang/pkg/ipc/client.o: pkg/ipc/client.c pkg/ipc/ipc_priv.h \
  include/ctrcompose/ipc.h include/ctrcompose/base.h

pkg/ipc/ipc_priv.h:

include/ctrcompose/ipc.h:

include/ctrcompose/base.h:
