build-clang/pkg/base/fd.o: pkg/base/fd.c include/ctrcompose/base.h

include/ctrcompose/base.h:
