build-clang/cmd/ctrcompose/logview.o: cmd/ctrcompose/logview.c \
  cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h include/ctrcompose/logs.h \
  include/ctrcompose/loop.h

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/logs.h:

include/ctrcompose/loop.h:
