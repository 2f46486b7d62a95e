build-clang/pkg/base/path.o: pkg/base/path.c include/ctrcompose/base.h

include/ctrcompose/base.h:
