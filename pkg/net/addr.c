/* addr.c - addresses, prefixes and the names derived from their owners. All pure. */
#include <ctrcompose/net.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

int net_ip_parse(const char *s, uint32_t *out)
{
	struct in_addr a;

	if (inet_pton(AF_INET, s, &a) != 1)
		return -EINVAL;
	*out = ntohl(a.s_addr);
	return 0;
}

int net_ip6_parse(const char *s, uint8_t out[16])
{
	uint8_t a[16];

	if (inet_pton(AF_INET6, s, a) != 1)
		return -EINVAL;
	memcpy(out, a, sizeof(a));
	return 0;
}

static uint32_t mask_of(unsigned len)
{
	return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

/* "address/len" -> the two; the address is cut to at most size - 1 characters. */
static int split(const char *s, char *addr, size_t size, unsigned max, unsigned *len)
{
	const char *slash = strchr(s, '/');
	uint64_t v;

	if (!slash || (size_t)(slash - s) >= size || parse_u64(slash + 1, &v) < 0 || v > max)
		return -EINVAL;
	memcpy(addr, s, (size_t)(slash - s));
	addr[slash - s] = '\0';
	*len = (unsigned)v;
	return 0;
}

int net_prefix_parse(const char *s, struct net_prefix *out)
{
	char text[INET_ADDRSTRLEN];
	struct net_prefix p;

	if (split(s, text, sizeof(text), 32, &p.len) < 0 || net_ip_parse(text, &p.addr) < 0)
		return -EINVAL;
	p.addr &= mask_of(p.len);
	*out = p;
	return 0;
}

int net_prefix6_parse(const char *s, struct net_prefix6 *out)
{
	char text[INET6_ADDRSTRLEN];
	struct net_prefix6 p;

	if (split(s, text, sizeof(text), 128, &p.len) < 0 || net_ip6_parse(text, p.addr) < 0)
		return -EINVAL;
	for (unsigned bit = p.len; bit < 128; bit++)
		p.addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	*out = p;
	return 0;
}

const char *net_ip_format(uint32_t ip, char out[NET_IP_LEN])
{
	(void)snprintf(out, NET_IP_LEN, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
		       ip & 255);
	return out;
}

const char *net_prefix_format(struct net_prefix p, char out[NET_PREFIX_LEN])
{
	char ip[NET_IP_LEN];

	(void)snprintf(out, NET_PREFIX_LEN, "%s/%u", net_ip_format(p.addr, ip), p.len % 100);
	return out;
}

const char *net_prefix6_format(const struct net_prefix6 *p, char out[NET_PREFIX6_LEN])
{
	char ip[INET6_ADDRSTRLEN];

	(void)snprintf(out, NET_PREFIX6_LEN, "%s/%u", inet_ntop(AF_INET6, p->addr, ip, sizeof(ip)),
		       p->len % 1000);
	return out;
}

bool net_prefix_has(struct net_prefix p, uint32_t ip)
{
	return ((ip ^ p.addr) & mask_of(p.len)) == 0;
}

bool net_prefix6_has(const struct net_prefix6 *p, const uint8_t ip[16])
{
	for (unsigned bit = 0; bit < p->len; bit++)
		if ((p->addr[bit / 8] ^ ip[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

bool net_prefix6_overlap(const struct net_prefix6 *a, const struct net_prefix6 *b)
{
	return a->len < b->len ? net_prefix6_has(a, b->addr) : net_prefix6_has(b, a->addr);
}

bool net_prefix_overlap(struct net_prefix a, struct net_prefix b)
{
	return a.len < b.len ? net_prefix_has(a, b.addr) : net_prefix_has(b, a.addr);
}

/* ---- Names from owners ----------------------------------------------------------------------- */
/* The separator keeps ("ab", "c") and ("a", "bc") apart. */
static uint64_t hash_two(const char *what, const char *a, const char *b)
{
	auto_free char *both = xasprintf("%s\n%s\n%s", what, a, b);
	uint64_t h = str_hash(both);

	/* FNV leaves the last bytes of the text mostly in the low bits: mix before cutting. */
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	h ^= h >> 33;
	return h;
}

void net_bridge_name(const char *owner, const char *network, char out[NET_IFNAME])
{
	(void)snprintf(out, NET_IFNAME, "cc-%011llx",
		       (unsigned long long)(hash_two("bridge", owner, network) >> 20));
}

void net_host_if_name(const char *container, const char *network, char out[NET_IFNAME])
{
	(void)snprintf(out, NET_IFNAME, "cv%012llx",
		       (unsigned long long)(hash_two("veth", container, network) >> 16));
}

uint32_t net_group(const char *owner, const char *project)
{
	/* High enough to stay clear of groups people number by hand, and positive as an int. */
	return 0x40000000U | (uint32_t)(hash_two("group", owner, project) >> 34);
}

void net_mac_of(uint32_t ipv4, uint8_t out[6])
{
	const uint8_t mac[6] = { 0x02,
				 0x42,
				 (uint8_t)(ipv4 >> 24),
				 (uint8_t)(ipv4 >> 16),
				 (uint8_t)(ipv4 >> 8),
				 (uint8_t)ipv4 };

	memcpy(out, mac, sizeof(mac));
}
