build-clang/pkg/state/uid.o: pkg/state/uid.c pkg/state/internal.h \
  include/ctrcompose/state.h include/ctrcompose/base.h

pkg/state/internal.h:

include/ctrcompose/state.h:

include/ctrcompose/base.h:
