build-clang/pkg/compose/decode_project.o: pkg/compose/decode_project.c \
  pkg/compose/decode.h pkg/compose/loader.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/base.h \
  include/ctrcompose/yaml.h include/ctrcompose/digest.h \
  include/ctrcompose/json.h

pkg/compose/decode.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:

include/ctrcompose/digest.h:

include/ctrcompose/json.h:
