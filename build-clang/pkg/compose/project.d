build-clang/pkg/compose/project.o: pkg/compose/project.c \
  pkg/compose/project.h pkg/compose/loader.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/base.h include/ctrcompose/yaml.h

pkg/compose/project.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:
