build-clang/pkg/model/model.o: pkg/model/model.c \
  include/ctrcompose/model.h include/ctrcompose/base.h

include/ctrcompose/model.h:

include/ctrcompose/base.h:
