build-clang/pkg/dns/zone.o: pkg/dns/zone.c pkg/dns/private.h \
  include/ctrcompose/dns.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/dns/private.h:

include/ctrcompose/dns.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
