build-clang/pkg/base/err.o: pkg/base/err.c include/ctrcompose/base.h

include/ctrcompose/base.h:
