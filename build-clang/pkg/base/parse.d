build-clang/pkg/base/parse.o: pkg/base/parse.c include/ctrcompose/base.h

include/ctrcompose/base.h:
