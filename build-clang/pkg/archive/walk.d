build-clang/pkg/archive/walk.o: pkg/archive/walk.c pkg/archive/lib.h \
  include/ctrcompose/archive.h include/ctrcompose/base.h

pkg/archive/lib.h:

include/ctrcompose/archive.h:

include/ctrcompose/base.h:
