build-clang/pkg/box/join.o: pkg/box/join.c pkg/box/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h

pkg/box/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:
