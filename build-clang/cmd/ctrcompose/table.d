build-clang/cmd/ctrcompose/table.o: cmd/ctrcompose/table.c \
  cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:
