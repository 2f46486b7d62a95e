build-clang/pkg/base/mem.o: pkg/base/mem.c include/ctrcompose/base.h

include/ctrcompose/base.h:
