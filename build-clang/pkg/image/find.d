build-clang/pkg/image/find.o: pkg/image/find.c pkg/image/private.h \
  include/ctrcompose/digest.h include/ctrcompose/base.h \
  include/ctrcompose/image.h include/ctrcompose/json.h \
  include/ctrcompose/model.h

pkg/image/private.h:

include/ctrcompose/digest.h:

include/ctrcompose/base.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/model.h:
