build-clang/pkg/dns/endpoint.o: pkg/dns/endpoint.c pkg/dns/private.h \
  include/ctrcompose/dns.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/dns/private.h:

include/ctrcompose/dns.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
