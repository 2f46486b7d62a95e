build-clang/pkg/box/mounts.o: pkg/box/mounts.c pkg/box/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h

pkg/box/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:
