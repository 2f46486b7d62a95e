build-clang/pkg/state/table.o: pkg/state/table.c pkg/state/internal.h \
  include/ctrcompose/state.h include/ctrcompose/base.h \
  include/ctrcompose/json.h

pkg/state/internal.h:

include/ctrcompose/state.h:

include/ctrcompose/base.h:

include/ctrcompose/json.h:
