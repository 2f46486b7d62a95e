build-clang/pkg/base/proc.o: pkg/base/proc.c include/ctrcompose/base.h

include/ctrcompose/base.h:
