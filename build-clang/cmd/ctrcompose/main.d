build-clang/cmd/ctrcompose/main.o: cmd/ctrcompose/main.c \
  cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:
