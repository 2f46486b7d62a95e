build-clang/pkg/ipc/server.o: pkg/ipc/server.c pkg/ipc/ipc_priv.h \
  include/ctrcompose/ipc.h include/ctrcompose/base.h

pkg/ipc/ipc_priv.h:

include/ctrcompose/ipc.h:

include/ctrcompose/base.h:
