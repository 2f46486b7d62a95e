build-clang/pkg/dockerfile/instruction.o: pkg/dockerfile/instruction.c \
  pkg/dockerfile/private.h include/ctrcompose/dockerfile.h \
  include/ctrcompose/base.h include/ctrcompose/json.h

pkg/dockerfile/private.h:

include/ctrcompose/dockerfile.h:

include/ctrcompose/base.h:

include/ctrcompose/json.h:
