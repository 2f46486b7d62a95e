build-clang/pkg/archive/pack.o: pkg/archive/pack.c pkg/archive/lib.h \
  include/ctrcompose/archive.h include/ctrcompose/base.h

pkg/archive/lib.h:

include/ctrcompose/archive.h:

include/ctrcompose/base.h:
