build-clang/pkg/compose/print.o: pkg/compose/print.c \
  pkg/compose/project.h pkg/compose/loader.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/base.h include/ctrcompose/yaml.h

pkg/compose/project.h:

pkg/compose/loader.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/base.h:

include/ctrcompose/yaml.h:
