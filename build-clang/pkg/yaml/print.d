build-clang/pkg/yaml/print.o: pkg/yaml/print.c pkg/yaml/tree.h \
  include/ctrcompose/yaml.h include/ctrcompose/base.h

pkg/yaml/tree.h:

include/ctrcompose/yaml.h:

include/ctrcompose/base.h:
