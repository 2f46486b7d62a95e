build-clang/pkg/dns/answer.o: pkg/dns/answer.c pkg/dns/private.h \
  include/ctrcompose/dns.h include/ctrcompose/base.h \
  include/ctrcompose/loop.h

pkg/dns/private.h:

include/ctrcompose/dns.h:

include/ctrcompose/base.h:

include/ctrcompose/loop.h:
