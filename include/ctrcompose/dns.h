/* dns.h - the name server inside each container's network namespace: 127.0.0.11, UDP and TCP.
 *
 * Floor 3. Names of a network live in one zone that all containers on it share; an endpoint is the
 * pair of sockets in one container's namespace and lists the zones that container can see.
 * Everything else is forwarded to the resolvers of the host, from the namespace of the supervisor,
 * unless the container is only on internal networks.
 */
#ifndef CTRCOMPOSE_DNS_H
#define CTRCOMPOSE_DNS_H

#include <ctrcompose/base.h>
#include <ctrcompose/loop.h>

#define DNS_ADDRESS       "127.0.0.11" /* what resolv.conf of a container names */
#define DNS_PORT          53
#define DNS_TTL_S         5 /* containers move: keep answers short-lived */
#define DNS_UPSTREAMS_MAX 8
#define DNS_PACKET_MAX    65535

struct dns_addr {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t ip[16]; /* network order; the first 4 for AF_INET */
};
int dns_addr_parse(const char *text, struct dns_addr *out); /* "10.0.0.2", "fd00::2" */

/* ---- Zones -----------------------------------------------------------------------------------
 * One per network. Names are compared without case and hold no trailing dot. "web" in the zone of
 * network "front" is also found as "web.front". The same name may belong to several owners
 * (replicas): answers rotate. An owner is the container's id; removing it takes all it added.
 */
struct dns_zone;
struct dns_zone *dns_zone_new(const char *network);
void dns_zone_free(struct dns_zone *zone); /* no endpoint may list it any more */
/* -EINVAL for what can't be a DNS name; adding the same twice changes nothing. */
int dns_zone_add(struct dns_zone *zone, const char *owner, const char *name,
		 const struct dns_addr *addr, struct err *err);
/* What PTR says for addr: "shop-web-1.front", say. One per address; the last one wins. */
int dns_zone_add_ptr(struct dns_zone *zone, const char *owner, const struct dns_addr *addr,
		     const char *name, struct err *err);
void dns_zone_remove_owner(struct dns_zone *zone, const char *owner);
/* Its addresses are left out as long as another owner has the name: it is unhealthy, say. What is added
 * later counts again. */
void dns_zone_set_aside(struct dns_zone *zone, const char *owner, bool aside);

/* ---- The pure part ---------------------------------------------------------------------------
 * What one container sees. Zones are asked in order; the first that knows the name answers.
 */
struct dns_alias { /* `links`: a name only this container knows */
	const char *name, *target;
};
struct dns_view {
	const struct dns_zone *const *zones;
	size_t n_zones;
	const struct dns_alias *aliases;
	size_t n_aliases;
	bool forward;      /* false: only on internal networks */
	unsigned rotation; /* add one per question: the first address moves on */
};
enum dns_verdict { DNS_ANSWERED, DNS_FORWARD, DNS_DROP };
/* Answer question q of n bytes into out (at least 512 bytes); *len is written for DNS_ANSWERED.
 * DNS_DROP: not a question (or a response): stay silent. */
enum dns_verdict dns_answer(const struct dns_view *view, const uint8_t *q, size_t n, bool tcp,
			    uint8_t *out, size_t cap, size_t *len);

/* Whether the n bytes at a, from an upstream, answer the question (pure): a response, and to the same
 * id, name, type and class. */
bool dns_is_answer(const uint8_t *question, size_t question_n, const uint8_t *a, size_t n);

/* ---- The live part --------------------------------------------------------------------------- */
struct dns_server;   /* one per supervisor: pending forwarded questions */
struct dns_endpoint; /* one per container */

/* Nameservers of resolv.conf text (at most max, others ignored); the count. */
size_t dns_parse_resolv_conf(const char *text, struct dns_addr *out, size_t max);

/* Upstreams are read from /etc/resolv.conf of the host, again when it changes. */
int dns_server_new(struct loop *loop, struct dns_server **out, struct err *err);
void dns_server_free(struct dns_server *srv); /* closes its endpoints too; NULL is fine */
/* fn is called before each question is looked up: the caller brings its zones up to date. */
void dns_server_before(struct dns_server *srv, void (*fn)(void *arg), void *arg);
/* For tests and `dns:` of a whole project: use these instead of the host's. Port 0 is 53. */
int dns_server_set_upstreams(struct dns_server *srv, const struct dns_addr *addrs, size_t n,
			     uint16_t port);

struct dns_endpoint_config { /* all copied; zones are borrowed until the endpoint is closed */
	struct dns_zone *const *zones;
	size_t n_zones;
	const struct dns_alias *aliases;
	size_t n_aliases;
	const struct dns_addr *upstreams; /* `dns:` of the service; none: those of the server */
	size_t n_upstreams;
	bool forward;
	uint16_t
		inside; /* what is sent to DNS_PORT arrives at this port, if at all; 0: no such thing */
	const int *
		sockets; /* dns_endpoint_sockets() of an endpoint that was there before: taken over,
			     * whatever happens; NULL: new ones are made */
};
/* Bind in the network namespace (lo must be up) and serve through the loop. The thread is back in
 * its own namespace afterwards; if it can't get back, the process ends. */
int dns_server_open_in(struct dns_server *srv, int netns_fd, const struct dns_endpoint_config *cfg,
		       struct dns_endpoint **out, struct err *err);
/* The container was connected to or left a network. */
void dns_endpoint_configure(struct dns_endpoint *ep, const struct dns_endpoint_config *cfg);
/* Where questions come in, UDP and TCP; still the endpoint's. Questions wait in them. */
void dns_endpoint_sockets(const struct dns_endpoint *ep, int sockets[2]);
void dns_endpoint_close(struct dns_endpoint *ep); /* NULL is fine */

struct dns_stats {
	uint64_t answered, forwarded, failed, dropped;
	size_t pending;
};
struct dns_stats dns_server_stats(const struct dns_server *srv);

#endif
