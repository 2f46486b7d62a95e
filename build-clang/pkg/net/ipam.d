build-clang/pkg/net/ipam.o: pkg/net/ipam.c include/ctrcompose/net.h \
  include/ctrcompose/base.h

include/ctrcompose/net.h:

include/ctrcompose/base.h:
