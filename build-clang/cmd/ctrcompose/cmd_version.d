build-clang/cmd/ctrcompose/cmd_version.o: cmd/ctrcompose/cmd_version.c \
  cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:
