/* ports.c - taking a port of the host, and who has it when it cannot be taken. */
#include "net_priv.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG         128
#define EPHEMERAL_TRIES 16

/* ---- Who has it ------------------------------------------------------------------------------ */
#define TCP_LISTEN_HEX "0A"

/* Inode of a socket bound to the port in one table of /proc/net; 0 = none. */
static unsigned long find_inode(const char *table, uint16_t port, bool udp)
{
	auto_free char *path = xasprintf("/proc/thread-self/net/%s", table);
	FILE *f = fopen(path, "re");
	unsigned long found = 0;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned long inode;
		char state[8];
		unsigned local;

		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %7s %*s %*s %*s %*u %*u %lu", &local,
			   state, &inode) == 3 &&
		    local == port && (udp || str_eq(state, TCP_LISTEN_HEX)))
			found = inode;
	}
	if (f)
		(void)fclose(f);
	return found;
}

/* Does this process hold the socket? */
static bool holds(const char *pid, const char *socket_link)
{
	auto_free char *path = xasprintf("/proc/%s/fd", pid);
	DIR *d = opendir(path);
	bool found = false;

	for (struct dirent *e; d && !found && (e = readdir(d)) != NULL;) {
		char link[64];
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		found = str_eq(link, socket_link);
	}
	if (d)
		(void)closedir(d);
	return found;
}

static char *name_of(const char *pid)
{
	auto_free char *path = xasprintf("/proc/%s/comm", pid);
	auto_free char *name = NULL;

	if (file_read(AT_FDCWD, path, 64, &name, NULL) == 0)
		name[strcspn(name, "\n")] = '\0';
	return xasprintf("%s (pid %s)", name ? name : "a program", pid);
}

char *net_port_owner(uint16_t port, bool udp)
{
	static const char *const tables[2][2] = { { "tcp", "tcp6" }, { "udp", "udp6" } };
	auto_free char *socket_link = NULL;
	unsigned long inode = 0;
	char *owner = NULL;
	DIR *d;

	for (size_t i = 0; i < 2 && !inode; i++)
		inode = find_inode(tables[udp][i], port, udp);
	if (!inode)
		return NULL;
	socket_link = xasprintf("socket:[%lu]", inode);
	d = opendir("/proc");
	for (struct dirent *e; d && !owner && (e = readdir(d)) != NULL;)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && holds(e->d_name, socket_link))
			owner = name_of(e->d_name);
	if (d)
		(void)closedir(d);
	return owner;
}

/* ---- Taking it ------------------------------------------------------------------------------- */
struct bind_to {
	bool want4, want6;
	struct in_addr ip4;
	struct in6_addr ip6;
};

/* fd or -errno */
static int bind_one(const struct sockaddr *sa, socklen_t len, bool udp)
{
	auto_close int fd = socket(
		sa->sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* The proxy answers from the address that was asked. */
	if (udp && sa->sa_family == AF_INET)
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (udp && sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	/* TIME_WAIT of a stack that has just gone is no conflict; for UDP it would share the port. */
	if (!udp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, sa, len) < 0 || (!udp && listen(fd, BACKLOG) < 0))
		return -errno;
	return steal_fd(&fd);
}

static int port_of(int fd, uint16_t *out)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return -errno;
	*out = ntohs(sa.ss_family == AF_INET ? ((struct sockaddr_in *)&sa)->sin_port
					     : ((struct sockaddr_in6 *)&sa)->sin6_port);
	return 0;
}

/* Both families at one port; port 0: the kernel's choice for the first. */
static int try_port(const struct bind_to *to, uint16_t port, bool udp, struct net_reserved *out)
{
	struct sockaddr_in sa4 = { .sin_family = AF_INET, .sin_addr = to->ip4 };
	struct sockaddr_in6 sa6 = { .sin6_family = AF_INET6, .sin6_addr = to->ip6 };
	auto_close int fd4 = -1, fd6 = -1;
	int r = 0;

	if (to->want4) {
		sa4.sin_port = htons(port);
		fd4 = bind_one((struct sockaddr *)&sa4, sizeof(sa4), udp);
		if (fd4 < 0)
			return fd4;
		if (port == 0)
			r = port_of(fd4, &port);
		if (r < 0)
			return r;
	}
	if (to->want6) {
		sa6.sin6_port = htons(port);
		fd6 = bind_one((struct sockaddr *)&sa6, sizeof(sa6), udp);
		/* A host without IPv6 has nothing to be reserved there. */
		if (fd6 < 0 && (!to->want4 || (fd6 != -EAFNOSUPPORT && fd6 != -EADDRNOTAVAIL)))
			return fd6;
		if (fd6 >= 0 && port == 0)
			r = port_of(fd6, &port);
		if (r < 0)
			return r;
	}
	*out = (struct net_reserved){ steal_fd(&fd4), steal_fd(&fd6), port };
	return 0;
}

static int parse_host(const char *host_ip, struct bind_to *to, struct err *err)
{
	*to = (struct bind_to){ .want4 = true, .want6 = true, .ip6 = IN6ADDR_ANY_INIT };
	if (!host_ip || !host_ip[0])
		return 0;
	to->want4 = inet_pton(AF_INET, host_ip, &to->ip4) == 1;
	to->want6 = !to->want4 && inet_pton(AF_INET6, host_ip, &to->ip6) == 1;
	if (!to->want4 && !to->want6)
		return err_set(err, -EINVAL, "'%s' is not an IP address of this host", host_ip);
	return 0;
}

static int in_use(const char *host_ip, uint16_t lo, uint16_t hi, bool udp, struct err *err)
{
	const char *proto = udp ? "udp" : "tcp";
	auto_free char *owner = lo == hi ? net_port_owner(lo, udp) : NULL;
	auto_free char *at = host_ip && host_ip[0] ? xasprintf(" on %s", host_ip) : xstrdup("");

	if (lo != hi)
		return err_set(err, -EADDRINUSE, "all ports %u-%u/%s%s are in use", lo, hi, proto,
			       at);
	if (owner)
		return err_set(err, -EADDRINUSE, "port %u/%s%s is in use by %s", lo, proto, at,
			       owner);
	return err_set(err, -EADDRINUSE, "port %u/%s%s is in use", lo, proto, at);
}

int net_port_reserve(const char *host_ip, uint16_t lo, uint16_t hi, bool udp,
		     struct net_reserved *out, struct err *err)
{
	const char *proto = udp ? "udp" : "tcp";
	struct bind_to to;
	int r = parse_host(host_ip, &to, err);

	if (r < 0)
		return r;
	if (lo == 0) { /* free for one family may be taken for the other: ask again */
		r = -EADDRINUSE;
		for (int i = 0; i < EPHEMERAL_TRIES && r == -EADDRINUSE; i++)
			r = try_port(&to, 0, udp, out);
		return r < 0 ? err_set(err, r, "cannot get a free port (%s): %s", proto,
				       strerror(-r))
			     : 0;
	}
	for (unsigned port = lo; port <= (hi < lo ? lo : hi); port++) {
		r = try_port(&to, (uint16_t)port, udp, out);
		if (r != -EADDRINUSE)
			break;
	}
	if (r == -EADDRINUSE)
		return in_use(host_ip, lo, hi < lo ? lo : hi, udp, err);
	if (r == -EADDRNOTAVAIL)
		return err_set(err, r, "'%s' is not an IP address of this host", host_ip);
	return r < 0 ? err_set(err, r, "cannot take port %u/%s: %s", lo, proto, strerror(-r)) : 0;
}

void net_reserved_close(struct net_reserved *r)
{
	if (r->fd4 >= 0)
		(void)close(r->fd4);
	if (r->fd6 >= 0)
		(void)close(r->fd6);
	r->fd4 = r->fd6 = -1;
}
