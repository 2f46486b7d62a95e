build-clang/pkg/yaml/parse.o: pkg/yaml/parse.c pkg/yaml/tree.h \
  include/ctrcompose/yaml.h include/ctrcompose/base.h

pkg/yaml/tree.h:

include/ctrcompose/yaml.h:

include/ctrcompose/base.h:
