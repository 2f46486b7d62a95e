/* inside.c - what a container's process is given: its command line, environment, /etc files,
 * limits. Pure. */
#include "private.h"

#include <stdlib.h>
#include <string.h>

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void unit_argv(struct arena *a, const struct service *svc, const struct image *img,
	       struct list *out)
{
	const struct list *first = svc->entrypoint.set ? &svc->entrypoint.list : &img->entrypoint;
	static const struct list none = { 0 };
	const struct list *rest = svc->command.set      ? &svc->command.list
				  : svc->entrypoint.set ? &none
							: &img->cmd;

	/* entrypoint: [""] or [] takes the image's away */
	if (svc->entrypoint.set && first->n == 1 && first->v[0][0] == '\0')
		first = &none;
	out->v = arena_array(a, first->n + rest->n + 1, sizeof(*out->v));
	out->n = 0;
	for (size_t i = 0; i < first->n; i++)
		out->v[out->n++] = first->v[i];
	for (size_t i = 0; i < rest->n; i++)
		out->v[out->n++] = rest->v[i];
}

struct env_list {
	struct arena *a;
	const char **v;
	size_t n;
};

static void env_set(struct env_list *l, const char *entry)
{
	size_t key = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->v[i], entry, key) == 0) {
			l->v[i] = entry;
			return;
		}
	l->v[l->n++] = entry;
}

const char *const *unit_env(struct arena *a, const struct service *svc, const struct image *img,
			    const char *hostname)
{
	struct env_list l = { a,
			      arena_array(a, img->env.n + svc->environment.n + 4, sizeof(char *)),
			      0 };

	env_set(&l, PATH_DEFAULT);
	env_set(&l, arena_printf(a, "HOSTNAME=%s", hostname));
	if (svc->tty)
		env_set(&l, "TERM=xterm");
	for (size_t i = 0; i < img->env.n; i++)
		env_set(&l, img->env.v[i]);
	for (size_t i = 0; i < svc->environment.n; i++) {
		const struct kv *kv = &svc->environment.v[i];

		if (kv->value)
			env_set(&l, arena_printf(a, "%s=%s", kv->key, kv->value));
	}
	l.v[l.n] = NULL;
	return l.v;
}

void unit_hosts(const struct service *svc, const struct hosts_facts *f, struct sbuf *out)
{
	sbuf_adds(out, "127.0.0.1\tlocalhost\n"
		       "::1\tlocalhost ip6-localhost ip6-loopback\n"
		       "fe00::\tip6-localnet\n"
		       "ff00::\tip6-mcastprefix\n"
		       "ff02::1\tip6-allnodes\n"
		       "ff02::2\tip6-allrouters\n");
	for (size_t i = 0; i < svc->extra_hosts.n; i++) {
		const struct kv *kv = &svc->extra_hosts.v[i];
		const char *ip = str_eq(kv->value, "host-gateway") ? f->gateway : kv->value;

		if (ip)
			sbuf_addf(out, "%s\t%s\n", ip, kv->key);
	}
	for (size_t i = 0; i < f->n_ips; i++) {
		if (f->domainname)
			sbuf_addf(out, "%s\t%s.%s %s\n", f->ips[i], f->hostname, f->domainname,
				  f->hostname);
		else
			sbuf_addf(out, "%s\t%s\n", f->ips[i], f->hostname);
	}
}

static void joined(struct sbuf *out, const char *word, const struct list *l)
{
	if (l->n == 0)
		return;
	sbuf_adds(out, word);
	for (size_t i = 0; i < l->n; i++)
		sbuf_addf(out, " %s", l->v[i]);
	sbuf_addc(out, '\n');
}

static bool has_ndots(const struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_starts(l->v[i], "ndots:"))
			return true;
	return false;
}

/* The host's lines that begin with word. */
static void copied(struct sbuf *out, const char *text, const char *word)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		if (str_starts(text, word)) {
			sbuf_add(out, text, n);
			sbuf_addc(out, '\n');
		}
		text += n + (text[n] == '\n');
	}
}

void unit_resolv(const struct service *svc, bool own_dns, const char *host_text, struct sbuf *out)
{
	if (own_dns)
		sbuf_adds(out, "nameserver " DNS_ADDRESS "\n");
	else if (svc->dns.n)
		for (size_t i = 0; i < svc->dns.n; i++)
			sbuf_addf(out, "nameserver %s\n", svc->dns.v[i]);
	else
		copied(out, host_text, "nameserver");
	if (svc->dns_search.n == 1 && strcmp(svc->dns_search.v[0], ".") == 0)
		; /* asked for none */
	else if (svc->dns_search.n)
		joined(out, "search", &svc->dns_search);
	else
		copied(out, host_text, "search");
	if (own_dns && !has_ndots(&svc->dns_opt)) {
		sbuf_adds(out, "options ndots:0");
		for (size_t i = 0; i < svc->dns_opt.n; i++)
			sbuf_addf(out, " %s", svc->dns_opt.v[i]);
		sbuf_addc(out, '\n');
	} else if (svc->dns_opt.n) {
		joined(out, "options", &svc->dns_opt);
	} else if (!own_dns) {
		copied(out, host_text, "options");
	}
}

#define EITHER(field) (h->field ? h->field : img->health.field)

struct healthcheck unit_health(const struct service *svc, const struct image *img)
{
	const struct healthcheck *h = &svc->health;
	struct healthcheck out;

	if (!h->set || h->disable)
		return h->set ? *h : img->health;
	out = (struct healthcheck){
		.set = true,
		.test = h->test.n ? h->test : img->health.test,
		.interval_us = EITHER(interval_us),
		.timeout_us = EITHER(timeout_us),
		.start_period_us = EITHER(start_period_us),
		.start_interval_us = EITHER(start_interval_us),
		.retries = EITHER(retries),
	};
	out.disable = out.test.n == 0;
	return out;
}

void unit_limits(const struct service *svc, bool has_pids, struct cgroup_limits *out)
{
	*out = (struct cgroup_limits){
		.memory_max = svc->mem_limit,
		.memory_low = svc->mem_reservation,
		.memory_swap_max = svc->memswap_limit,
		.cpu_quota_us = svc->nano_cpus ? svc->nano_cpus / 10000 : svc->cpu_quota_us,
		.cpu_period_us = svc->nano_cpus ? 100000 : svc->cpu_period_us,
		.cpu_shares = svc->cpu_shares,
		.cpuset_cpus = svc->cpuset,
		.has_swappiness = svc->mem_swappiness >= 0,
		.swappiness = svc->mem_swappiness >= 0 ? (uint64_t)svc->mem_swappiness : 0,
		.oom_kill_disable = svc->oom_kill_disable,
		.cpu_rt_runtime_us = svc->cpu_rt_runtime_us,
		.cpu_rt_period_us = svc->cpu_rt_period_us,
	};
	if (svc->pids_limit > 0)
		out->pids_max = (uint64_t)svc->pids_limit;
	else if (svc->pids_limit == 0 && has_pids)
		out->pids_max = PIDS_LIMIT_DEFAULT;
}
