build-clang/pkg/base/clock.o: pkg/base/clock.c include/ctrcompose/base.h

include/ctrcompose/base.h:
