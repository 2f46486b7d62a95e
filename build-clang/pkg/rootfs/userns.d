build-clang/pkg/rootfs/userns.o: pkg/rootfs/userns.c \
  include/ctrcompose/rootfs.h include/ctrcompose/base.h

include/ctrcompose/rootfs.h:

include/ctrcompose/base.h:
