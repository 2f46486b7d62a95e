build-clang/pkg/dockerfile/glob.o: pkg/dockerfile/glob.c \
  include/ctrcompose/dockerfile.h include/ctrcompose/base.h

include/ctrcompose/dockerfile.h:

include/ctrcompose/base.h:
