/* private.h - shared by the files of dns/ */
#ifndef DNS_PRIVATE_H
#define DNS_PRIVATE_H

#include <ctrcompose/dns.h>

enum { NAME_MAX_LEN = 255, LABEL_MAX = 63, HEADER = 12, UDP_PLAIN = 512, UDP_EDNS = 1232 };
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, TYPE_OPT = 41, CLASS_IN = 1 };
enum { RC_OK = 0, RC_FORMERR = 1, RC_SERVFAIL = 2, RC_NXDOMAIN = 3, RC_NOTIMP = 4, RC_REFUSED = 5 };

struct dns_entry {
	uint64_t hash;      /* of the name */
	char *name, *owner; /* name: lower case, no trailing dot */
	struct dns_addr addr;
	bool aside; /* only where no other owner has the name */
};
struct dns_zone {
	char *network;
	struct {
		struct dns_entry *v;
		size_t n, cap;
	} names, ptrs;
};

bool name_ok(const char *name);
bool addr_eq(const struct dns_addr *a, const struct dns_addr *b);
/* The question as it is turned into an answer without records: SERVFAIL and the like. */
size_t dns_refuse(const uint8_t *q, size_t n, unsigned rcode, uint8_t *out, size_t cap);

struct dns_server {
	struct loop *loop;
	struct dns_addr upstreams[DNS_UPSTREAMS_MAX];
	size_t n_upstreams, good; /* the one that answered last */
	uint16_t port;
	bool direct;      /* nothing arrives at `inside` of an endpoint on this kernel */
	bool fixed;       /* given by the caller, not read from the host */
	uint64_t read_us; /* when the host's file was looked at last */
	struct dns_endpoint *endpoints;
	struct dns_pending *pending;
	struct dns_stats stats;
	void (*before)(void *arg); /* dns_server_before() */
	void *before_arg;
};

struct dns_client { /* who asked over TCP */
	struct dns_endpoint *ep;
	struct dns_client *next;
	struct loop_source *io, *timer;
	int fd;
	uint8_t buf[2 + 4096];
	size_t have;
	size_t waiting; /* forwarded questions that have not come back */
};

struct dns_endpoint {
	struct dns_server *srv;
	struct dns_endpoint *next;
	struct dns_client *clients;
	size_t n_clients;
	int udp, tcp;
	struct loop_source *udp_io, *tcp_io;
	struct dns_zone **zones;
	struct dns_alias *aliases;
	struct dns_addr *upstreams;
	size_t n_zones, n_aliases, n_upstreams;
	size_t good;    /* the one of upstreams that answered last */
	size_t pending; /* forwarded questions that have not come back */
	bool forward;
	unsigned rotation;
};

/* forward.c */
struct dns_origin { /* where the answer goes */
	struct dns_endpoint *ep;
	struct dns_client *client; /* NULL: UDP, to addr */
	uint8_t addr[32];
	uint32_t addr_len;
};
void dns_forward(const struct dns_origin *from, const uint8_t *q, size_t n);
void dns_forget(struct dns_server *srv, const struct dns_endpoint *ep,
		const struct dns_client *client);
/* endpoint.c */
void dns_deliver(const struct dns_origin *to, const uint8_t *answer, size_t n);

#endif
