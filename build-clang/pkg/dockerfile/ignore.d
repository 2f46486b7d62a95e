build-clang/pkg/dockerfile/ignore.o: pkg/dockerfile/ignore.c \
  include/ctrcompose/dockerfile.h include/ctrcompose/base.h

include/ctrcompose/dockerfile.h:

include/ctrcompose/base.h:
