build-clang/pkg/box/exec.o: pkg/box/exec.c pkg/box/private.h \
  include/ctrcompose/box.h include/ctrcompose/base.h

pkg/box/private.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:
