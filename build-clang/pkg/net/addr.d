build-clang/pkg/net/addr.o: pkg/net/addr.c include/ctrcompose/net.h \
  include/ctrcompose/base.h

include/ctrcompose/net.h:

include/ctrcompose/base.h:
