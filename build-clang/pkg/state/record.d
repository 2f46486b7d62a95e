build-clang/pkg/state/record.o: pkg/state/record.c pkg/state/internal.h \
  include/ctrcompose/state.h include/ctrcompose/base.h \
  include/ctrcompose/json.h

pkg/state/internal.h:

include/ctrcompose/state.h:

include/ctrcompose/base.h:

include/ctrcompose/json.h:
