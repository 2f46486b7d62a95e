build-clang/pkg/dns/forward.o: pkg/dns/forward.c pkg/dns/private.h \
  include/ctrcompose/dns.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/dns/private.h:

include/ctrcompose/dns.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
