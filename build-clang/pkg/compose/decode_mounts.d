build-clang/pkg/compose/decode_mounts.o: pkg/compose/decode_mounts.c \
  pkg/compose/decode.h pkg/compose/loader.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/base.h \
  include/ctrcompose/yaml.h

pkg/compose/decode.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:
