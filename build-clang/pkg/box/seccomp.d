build-clang/pkg/box/seccomp.o: pkg/box/seccomp.c pkg/box/seccomp.h \
  pkg/box/private.h include/ctrcompose/box.h include/ctrcompose/base.h

pkg/box/seccomp.h:

pkg/box/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:
