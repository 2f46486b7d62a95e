build-clang/pkg/dockerfile/parse.o: pkg/dockerfile/parse.c \
  pkg/dockerfile/private.h include/ctrcompose/dockerfile.h \
  include/ctrcompose/base.h

pkg/dockerfile/private.h:

include/ctrcompose/dockerfile.h:

include/ctrcompose/base.h:
