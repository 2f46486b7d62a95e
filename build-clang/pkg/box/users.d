build-clang/pkg/box/users.o: pkg/box/users.c include/ctrcompose/box.h \
  include/ctrcompose/base.h

include/ctrcompose/box.h:

include/ctrcompose/base.h:
