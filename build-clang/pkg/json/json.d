build-clang/pkg/json/json.o: pkg/json/json.c include/ctrcompose/json.h \
  include/ctrcompose/base.h

include/ctrcompose/json.h:

include/ctrcompose/base.h:
