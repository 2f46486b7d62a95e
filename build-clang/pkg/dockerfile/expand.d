build-clang/pkg/dockerfile/expand.o: pkg/dockerfile/expand.c \
  include/ctrcompose/dockerfile.h include/ctrcompose/base.h

include/ctrcompose/dockerfile.h:

include/ctrcompose/base.h:
