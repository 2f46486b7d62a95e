build-clang/pkg/box/become.o: pkg/box/become.c pkg/box/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h

pkg/box/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:
