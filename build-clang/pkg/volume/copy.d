build-clang/pkg/volume/copy.o: pkg/volume/copy.c pkg/volume/private.h \
  include/ctrcompose/volume.h include/ctrcompose/base.h \
  include/ctrcompose/model.h

pkg/volume/private.h:

include/ctrcompose/volume.h:

include/ctrcompose/base.h:

include/ctrcompose/model.h:
