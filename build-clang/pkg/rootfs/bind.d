build-clang/pkg/rootfs/bind.o: pkg/rootfs/bind.c \
  include/ctrcompose/rootfs.h include/ctrcompose/base.h

include/ctrcompose/rootfs.h:

include/ctrcompose/base.h:
