build-clang/pkg/compose/decode_container.o: \
  pkg/compose/decode_container.c pkg/compose/decode.h \
  pkg/compose/loader.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/base.h \
  include/ctrcompose/yaml.h include/ctrcompose/digest.h

pkg/compose/decode.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:

include/ctrcompose/digest.h:
