build-clang/pkg/digest/digest.o: pkg/digest/digest.c \
  include/ctrcompose/digest.h include/ctrcompose/base.h \
  pkg/digest/sha256.h

include/ctrcompose/digest.h:

include/ctrcompose/base.h:

pkg/digest/sha256.h:
