build-clang/pkg/state/paths.o: pkg/state/paths.c pkg/state/internal.h \
  include/ctrcompose/state.h include/ctrcompose/base.h

pkg/state/internal.h:

include/ctrcompose/state.h:

include/ctrcompose/base.h:
