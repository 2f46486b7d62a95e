build-clang/pkg/base/map.o: pkg/base/map.c include/ctrcompose/base.h

include/ctrcompose/base.h:
