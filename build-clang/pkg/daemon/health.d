build-clang/pkg/daemon/health.o: pkg/daemon/health.c \
  pkg/daemon/supervisor.h pkg/daemon/private.h include/ctrcompose/base.h \
  include/ctrcompose/daemon.h include/ctrcompose/plan.h \
  include/ctrcompose/model.h include/ctrcompose/state.h \
  include/ctrcompose/engine.h include/ctrcompose/dns.h \
  include/ctrcompose/loop.h include/ctrcompose/image.h \
  include/ctrcompose/json.h include/ctrcompose/logs.h \
  include/ctrcompose/ipc.h include/ctrcompose/supervise.h

pkg/daemon/supervisor.h:

pkg/daemon/private.h:

include/ctrcompose/base.h:

include/ctrcompose/daemon.h:

include/ctrcompose/plan.h:

include/ctrcompose/model.h:

include/ctrcompose/state.h:

include/ctrcompose/engine.h:

include/ctrcompose/dns.h:

include/ctrcompose/loop.h:

include/ctrcompose/image.h:

include/ctrcompose/json.h:

include/ctrcompose/logs.h:

include/ctrcompose/ipc.h:

include/ctrcompose/supervise.h:
