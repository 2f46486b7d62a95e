build-clang/pkg/archive/unpack.o: pkg/archive/unpack.c \
  pkg/archive/unpack.h pkg/archive/lib.h include/ctrcompose/archive.h \
  include/ctrcompose/base.h

pkg/archive/unpack.h:

pkg/archive/lib.h:

include/ctrcompose/archive.h:

include/ctrcompose/base.h:
