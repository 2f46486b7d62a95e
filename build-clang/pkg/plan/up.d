build-clang/pkg/plan/up.o: pkg/plan/up.c pkg/plan/private.h \
  include/ctrcompose/plan.h include/ctrcompose/base.h \
  include/ctrcompose/model.h include/ctrcompose/state.h

pkg/plan/private.h:

include/ctrcompose/plan.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:
