build-clang/pkg/box/caps.o: pkg/box/caps.c include/ctrcompose/box.h \
  include/ctrcompose/base.h

include/ctrcompose/box.h:

include/ctrcompose/base.h:
