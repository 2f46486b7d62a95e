build-clang/pkg/ipc/conn.o: pkg/ipc/conn.c pkg/ipc/ipc_priv.h \
  include/ctrcompose/ipc.h include/ctrcompose/base.h

pkg/ipc/ipc_priv.h:

include/ctrcompose/ipc.h:

include/ctrcompose/base.h:
