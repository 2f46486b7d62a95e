build-clang/pkg/plan/wire.o: pkg/plan/wire.c pkg/plan/private.h \
  include/ctrcompose/plan.h include/ctrcompose/base.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/json.h

pkg/plan/private.h:

include/ctrcompose/plan.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/json.h:
