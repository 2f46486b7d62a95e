build-clang/pkg/plan/plan.o: pkg/plan/plan.c pkg/plan/private.h \
  include/ctrcompose/plan.h include/ctrcompose/base.h \
  include/ctrcompose/model.h include/ctrcompose/state.h

pkg/plan/private.h:

include/ctrcompose/plan.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:
