build-clang/pkg/box/seccomp_build.o: pkg/box/seccomp_build.c \
  pkg/box/seccomp.h include/ctrcompose/base.h

pkg/box/seccomp.h:

include/ctrcompose/base.h:
