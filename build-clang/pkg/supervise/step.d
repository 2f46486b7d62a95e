build-clang/pkg/supervise/step.o: pkg/supervise/step.c \
  include/ctrcompose/supervise.h include/ctrcompose/base.h \
  include/ctrcompose/model.h

include/ctrcompose/supervise.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:
