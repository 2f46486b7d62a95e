build-clang/pkg/archive/place.o: pkg/archive/place.c pkg/archive/unpack.h \
  pkg/archive/lib.h include/ctrcompose/archive.h \
  include/ctrcompose/base.h

pkg/archive/unpack.h:

pkg/archive/lib.h:

include/ctrcompose/archive.h:

include/ctrcompose/base.h:
