build-clang/tests/unit/dockerfile_test.o: tests/unit/dockerfile_test.c \
  include/ctrcompose/dockerfile.h include/ctrcompose/base.h

include/ctrcompose/dockerfile.h:

include/ctrcompose/base.h:
