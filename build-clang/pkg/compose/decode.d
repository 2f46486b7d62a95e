build-clang/pkg/compose/decode.o: pkg/compose/decode.c \
  pkg/compose/decode.h pkg/compose/loader.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/base.h \
  include/ctrcompose/yaml.h

pkg/compose/decode.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:
