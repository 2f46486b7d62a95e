build-clang/pkg/compose/ports.o: pkg/compose/ports.c pkg/compose/canon.h \
  pkg/compose/loader.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/base.h \
  include/ctrcompose/yaml.h

pkg/compose/canon.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:
