build-clang/pkg/loop/loop.o: pkg/loop/loop.c include/ctrcompose/loop.h \
  include/ctrcompose/base.h

include/ctrcompose/loop.h:

include/ctrcompose/base.h:
