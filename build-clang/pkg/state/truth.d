build-clang/pkg/state/truth.o: pkg/state/truth.c pkg/state/internal.h \
  include/ctrcompose/state.h include/ctrcompose/base.h

pkg/state/internal.h:

include/ctrcompose/state.h:

include/ctrcompose/base.h:
