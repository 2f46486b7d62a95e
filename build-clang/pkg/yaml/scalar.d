build-clang/pkg/yaml/scalar.o: pkg/yaml/scalar.c pkg/yaml/tree.h \
  include/ctrcompose/yaml.h include/ctrcompose/base.h

pkg/yaml/tree.h:

include/ctrcompose/yaml.h:

include/ctrcompose/base.h:
