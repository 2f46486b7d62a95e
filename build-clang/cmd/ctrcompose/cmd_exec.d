build-clang/cmd/ctrcompose/cmd_exec.o: cmd/ctrcompose/cmd_exec.c \
  cmd/ctrcompose/inside.h cmd/ctrcompose/cmd.h include/ctrcompose/base.h \
  include/ctrcompose/compose.h include/ctrcompose/model.h \
  include/ctrcompose/state.h cmd/ctrcompose/online.h \
  include/ctrcompose/daemon.h include/ctrcompose/plan.h \
  include/ctrcompose/box.h include/ctrcompose/engine.h \
  include/ctrcompose/dns.h include/ctrcompose/loop.h \
  include/ctrcompose/image.h include/ctrcompose/json.h \
  include/ctrcompose/logs.h

cmd/ctrcompose/inside.h:

cmd/ctrcompose/cmd.h:

include/ctrcompose/base.h:

include/ctrcompose/compose.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

cmd/ctrcompose/online.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:

include/ctrcompose/box.h:

include/ctrcompose/engine.h:

include/ctrcompose/dns.h:

include/ctrcompose/loop.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/logs.h:
