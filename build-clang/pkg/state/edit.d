build-clang/pkg/state/edit.o: pkg/state/edit.c pkg/state/internal.h \
  include/ctrcompose/state.h include/ctrcompose/base.h

pkg/state/internal.h:

include/ctrcompose/state.h:

include/ctrcompose/base.h:
