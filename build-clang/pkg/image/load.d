build-clang/pkg/image/load.o: pkg/image/load.c pkg/image/private.h \
  include/ctrcompose/digest.h include/ctrcompose/base.h \
  include/ctrcompose/image.h include/ctrcompose/json.h \
  include/ctrcompose/model.h include/ctrcompose/archive.h

pkg/image/private.h:

include/ctrcompose/digest.h:

include/ctrcompose/base.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/model.h:

include/ctrcompose/archive.h:
