build-clang/pkg/compose/keys_basic.o: pkg/compose/keys_basic.c \
  pkg/compose/keys.h pkg/compose/canon.h pkg/compose/loader.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/base.h include/ctrcompose/yaml.h \
  pkg/compose/decode.h

pkg/compose/keys.h:

pkg/compose/canon.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:

pkg/compose/decode.h:
