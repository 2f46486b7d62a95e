build-clang/pkg/image/build.o: pkg/image/build.c pkg/image/private.h \
  include/ctrcompose/digest.h include/ctrcompose/base.h \
  include/ctrcompose/image.h include/ctrcompose/json.h \
  include/ctrcompose/model.h

pkg/image/private.h:

include/ctrcompose/digest.h:

include/ctrcompose/base.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/model.h:
