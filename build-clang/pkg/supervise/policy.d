build-clang/pkg/supervise/policy.o: pkg/supervise/policy.c \
  include/ctrcompose/supervise.h include/ctrcompose/base.h \
  include/ctrcompose/model.h

include/ctrcompose/supervise.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:
