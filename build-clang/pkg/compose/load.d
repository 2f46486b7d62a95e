build-clang/pkg/compose/load.o: pkg/compose/load.c pkg/compose/loader.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/base.h include/ctrcompose/yaml.h \
  pkg/compose/project.h

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:

pkg/compose/project.h:
