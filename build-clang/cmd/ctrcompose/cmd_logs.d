build-clang/cmd/ctrcompose/cmd_logs.o: cmd/ctrcompose/cmd_logs.c \
  cmd/ctrcompose/container.h cmd/ctrcompose/cmd.h \
  include/ctrcompose/base.h include/ctrcompose/compose.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/json.h include/ctrcompose/logs.h \
  include/ctrcompose/loop.h

cmd/ctrcompose/container.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/json.h:

include/ctrcompose/logs.h:

include/ctrcompose/loop.h:
