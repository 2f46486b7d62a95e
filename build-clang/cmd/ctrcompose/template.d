build-clang/cmd/ctrcompose/template.o: cmd/ctrcompose/template.c \
  cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h include/ctrcompose/json.h

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/json.h:
