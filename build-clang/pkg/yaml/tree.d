build-clang/pkg/yaml/tree.o: pkg/yaml/tree.c pkg/yaml/tree.h \
  include/ctrcompose/yaml.h include/ctrcompose/base.h

pkg/yaml/tree.h:

include/ctrcompose/yaml.h:

include/ctrcompose/base.h:
