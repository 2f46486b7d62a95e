build-clang/pkg/plan/down.o: pkg/plan/down.c pkg/plan/private.h \
  include/ctrcompose/plan.h include/ctrcompose/base.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/compose.h

pkg/plan/private.h:

include/ctrcompose/plan.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/compose.h:
