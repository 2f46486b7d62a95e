build-clang/pkg/volume/store.o: pkg/volume/store.c pkg/volume/private.h \
  include/ctrcompose/volume.h include/ctrcompose/base.h \
  include/ctrcompose/model.h include/ctrcompose/json.h

pkg/volume/private.h:

include/ctrcompose/volume.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:

include/ctrcompose/json.h:
