build-clang/pkg/box/seccomp_profile.o: pkg/box/seccomp_profile.c \
  pkg/box/seccomp.h include/ctrcompose/box.h include/ctrcompose/base.h \
  include/ctrcompose/json.h

pkg/box/seccomp.h:

include/ctrcompose/box.h:

include/ctrcompose/base.h:

include/ctrcompose/json.h:
