build-clang/pkg/archive/lib.o: pkg/archive/lib.c pkg/archive/lib.h \
  include/ctrcompose/archive.h include/ctrcompose/base.h

pkg/archive/lib.h:

include/ctrcompose/archive.h:

include/ctrcompose/base.h:
