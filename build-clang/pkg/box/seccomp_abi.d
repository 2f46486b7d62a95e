build-clang/pkg/box/seccomp_abi.o: pkg/box/seccomp_abi.c \
  pkg/box/seccomp.h include/ctrcompose/base.h

pkg/box/seccomp.h:

include/ctrcompose/base.h:
