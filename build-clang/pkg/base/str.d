build-clang/pkg/base/str.o: pkg/base/str.c include/ctrcompose/base.h

include/ctrcompose/base.h:
