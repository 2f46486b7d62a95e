build-clang/pkg/rootfs/overlay.o: pkg/rootfs/overlay.c \
  include/ctrcompose/rootfs.h include/ctrcompose/base.h

include/ctrcompose/rootfs.h:

include/ctrcompose/base.h:
