build-clang/pkg/box/create.o: pkg/box/create.c pkg/box/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h

pkg/box/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:
