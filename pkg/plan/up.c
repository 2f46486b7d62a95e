/* up.c - what `up` has to do; see plan.h */
#include "private.h"

#include <ctrcompose/compose.h>
#include <stdlib.h>
#include <string.h>

struct replica {      /* what later actions of one service wait for */
	size_t start; /* index of its PLAN_START or PLAN_KEEP */
	size_t ready; /* index of its PLAN_CREATE, PLAN_NONE: it is there */
	const char *name;
};

struct svc_plan {
	const struct service *svc;
	bool chosen, visiting, planned, done; /* done: planned and started */
	unsigned scale;
	struct replica *replicas;
	size_t *waits; /* per condition and replica: index of its PLAN_WAIT, or PLAN_NONE */
};

struct up {
	struct plan *plan;
	const struct project *want;
	const struct state_project *have;
	const struct plan_options *opt;
	struct svc_plan *svcs; /* enabled services, then disabled ones */
	size_t n_svcs;
	size_t *nets, *vols; /* per network and volume: the action that makes it, or PLAN_NONE */
};

static struct svc_plan *find(struct up *u, const char *name)
{
	for (size_t i = 0; i < u->n_svcs; i++)
		if (strcmp(u->svcs[i].svc->name, name) == 0)
			return &u->svcs[i];
	return NULL;
}

static void choose(struct up *u, struct svc_plan *sp)
{
	if (sp->chosen)
		return;
	sp->chosen = true;
	for (size_t i = 0; !u->opt->no_deps && i < sp->svc->n_deps; i++) {
		struct svc_plan *dep = find(u, sp->svc->deps[i].service);

		if (dep)
			choose(u, dep);
	}
}

static int no_such_service(const struct project *want, const char *name, struct err *err)
{
	auto_strs struct strs known = { 0 };

	for (size_t i = 0; i < want->n_services; i++)
		strs_add(&known, want->services[i].name);
	return compose_no_service(name, &known, err);
}

static int choose_all(struct up *u, struct err *err)
{
	const char *const *names = u->opt->services;

	if (!names || !names[0]) {
		for (size_t i = 0; i < u->want->n_services; i++)
			choose(u, &u->svcs[i]);
		return 0;
	}
	for (; *names; names++) {
		struct svc_plan *sp = find(u, *names);

		if (!sp)
			return no_such_service(u->want, *names, err);
		choose(u, sp);
	}
	return 0;
}

static size_t network_action(struct up *u, const char *key)
{
	for (size_t i = 0; i < u->want->n_networks; i++)
		if (strcmp(u->want->networks[i].key, key) == 0) {
			if (u->nets[i] == PLAN_NONE)
				u->nets[i] = plan_add(u->plan, PLAN_NETWORK_UP,
						      u->want->networks[i].name, key);
			return u->nets[i];
		}
	return PLAN_NONE;
}

static size_t volume_action(struct up *u, const char *key)
{
	for (size_t i = 0; i < u->want->n_volumes; i++)
		if (strcmp(u->want->volumes[i].key, key) == 0) {
			if (u->vols[i] == PLAN_NONE)
				u->vols[i] = plan_add(u->plan, PLAN_VOLUME_MAKE,
						      u->want->volumes[i].name, key);
			return u->vols[i];
		}
	return PLAN_NONE;
}

static struct state_container *existing(const struct up *u, const char *service, unsigned number)
{
	for (size_t i = 0; i < u->have->containers.n; i++) {
		struct state_container *c = u->have->containers.v[i];

		if (!c->oneoff && c->number == number && strcmp(c->service, service) == 0)
			return c;
	}
	return NULL;
}

static bool is_running(const struct state_container *c)
{
	return c->status == STATE_RUNNING || c->status == STATE_RESTARTING;
}

/* STOP when it runs, then REMOVE; the index of the latter. */
static size_t drop(struct up *u, const struct state_container *c)
{
	size_t stop = PLAN_NONE, gone;

	if (is_running(c) || c->status == STATE_PAUSED) {
		stop = plan_add(u->plan, PLAN_STOP, c->name, c->service);
		u->plan->actions.v[stop].grace_us = u->opt->grace_us;
	}
	gone = plan_add(u->plan, PLAN_REMOVE, c->name, c->service);
	plan_after(u->plan, gone, stop);
	return gone;
}

static bool is_named(const struct plan_options *opt, const char *service)
{
	const char *const *w = opt->services;

	if (!w || !*w)
		return true;
	for (; *w; w++)
		if (strcmp(*w, service) == 0)
			return true;
	return false;
}

/* Its networks by their names: what a key stands for is not in the service's hash. */
static bool has_networks(const struct up *u, const struct service *svc,
			 const struct state_container *c)
{
	for (size_t i = 0; i < svc->n_networks; i++) {
		const struct network *n = project_network(u->want, svc->networks[i].network);
		bool has = n == NULL;

		for (size_t k = 0; n && k < c->endpoints.n; k++)
			has |= strcmp(c->endpoints.v[k].network, n->name) == 0;
		if (!has)
			return false;
	}
	return true;
}

static const char *why_recreate(const struct up *u, const struct service *svc,
				const struct state_container *c)
{
	if (u->opt->no_recreate)
		return NULL;
	if (u->opt->force_recreate && (u->opt->always_recreate_deps || is_named(u->opt, svc->name)))
		return "recreation was asked for";
	if (!c->config_hash || strcmp(c->config_hash, svc->config_hash) != 0)
		return "its configuration changed";
	return has_networks(u, svc, c) ? NULL : "its networks changed";
}

static size_t create(struct up *u, const struct service *svc, const char *name, unsigned number)
{
	size_t at = plan_add(u->plan, PLAN_CREATE, name, svc->name);
	struct plan_action *a = &u->plan->actions.v[at];

	a->number = number;
	a->svc = svc;
	a->config_json = svc->config_json;
	a->config_hash = svc->config_hash;
	for (size_t i = 0; i < svc->n_networks; i++)
		plan_after(u->plan, at, network_action(u, svc->networks[i].network));
	for (size_t i = 0; i < svc->n_mounts; i++)
		if (svc->mounts[i].kind == MOUNT_VOLUME && svc->mounts[i].source)
			plan_after(u->plan, at, volume_action(u, svc->mounts[i].source));
	/* volumes_from reads the record of another container, which the loader made a dependency */
	for (size_t i = 0; svc->volumes_from.n && i < svc->n_deps; i++) {
		const struct svc_plan *dep = find(u, svc->deps[i].service);

		for (size_t k = 0; dep && dep->replicas && k < dep->scale; k++)
			plan_after(u->plan, at, dep->replicas[k].ready);
	}
	return at;
}

/* The action after which `cond` holds for one replica of a service. */
static size_t condition(struct up *u, struct svc_plan *dep, size_t replica,
			const struct service_dep *how)
{
	size_t *wait = &dep->waits[replica * 3 + (size_t)how->condition];

	if (how->condition == DEP_STARTED)
		return dep->replicas[replica].start;
	if (*wait == PLAN_NONE) {
		*wait = plan_add(u->plan, PLAN_WAIT, dep->replicas[replica].name, dep->svc->name);
		u->plan->actions.v[*wait].condition = how->condition;
		u->plan->actions.v[*wait].required = how->required;
		plan_after(u->plan, *wait, dep->replicas[replica].start);
	}
	return *wait;
}

/* What a program of the service needs before it starts. */
static void start_after(struct up *u, const struct svc_plan *sp, size_t at)
{
	for (size_t i = 0; i < sp->svc->n_networks; i++)
		plan_after(u->plan, at, network_action(u, sp->svc->networks[i].network));
	for (size_t i = 0; i < sp->svc->n_deps; i++) {
		struct svc_plan *dep = find(u, sp->svc->deps[i].service);

		for (size_t k = 0; dep && dep->done && k < dep->scale; k++)
			plan_after(u->plan, at, condition(u, dep, k, &sp->svc->deps[i]));
	}
}

static void start(struct up *u, struct svc_plan *sp, size_t replica, size_t before, bool running)
{
	const char *name = sp->replicas[replica].name;
	size_t at = plan_add(u->plan, running ? PLAN_KEEP : PLAN_START, name, sp->svc->name);

	u->plan->actions.v[at].number = (unsigned)replica + 1;
	sp->replicas[replica].start = at;
	plan_after(u->plan, at, before);
	if (!running)
		start_after(u, sp, at);
}

/* ---- pre_start */
static const struct state_container *left_over(const struct up *u, const char *name)
{
	for (size_t i = 0; i < u->have->containers.n; i++)
		if (u->have->containers.v[i]->oneoff &&
		    strcmp(u->have->containers.v[i]->name, name) == 0)
			return u->have->containers.v[i];
	return NULL;
}

/* A container that is made, runs to its end when all of `after` is done, and goes; the index of the wait
 * for its success. */
static size_t run_step(struct up *u, const struct svc_plan *sp, const struct service *step,
		       const char *name, const size_t *after, size_t n_after)
{
	const struct state_container *old = left_over(u, name);
	size_t gone = old ? drop(u, old) : PLAN_NONE, made = create(u, step, name, 1), at, wait;

	u->plan->actions.v[made].oneoff = true;
	plan_after(u->plan, made, gone);
	at = plan_add(u->plan, PLAN_START, name, sp->svc->name);
	plan_after(u->plan, at, made);
	for (size_t i = 0; i < n_after; i++)
		plan_after(u->plan, at, after[i]);
	start_after(u, sp, at);
	wait = plan_add(u->plan, PLAN_WAIT, name, sp->svc->name);
	u->plan->actions.v[wait].condition = DEP_COMPLETED;
	u->plan->actions.v[wait].oneoff = true;
	plan_after(u->plan, wait, at);
	at = plan_add(u->plan, PLAN_REMOVE, name, sp->svc->name);
	u->plan->actions.v[at].oneoff = true;
	plan_after(u->plan, at, wait);
	return wait;
}

static bool starts(const struct up *u, const struct svc_plan *sp, unsigned k)
{
	return u->plan->actions.v[sp->replicas[k].start].op == PLAN_START;
}

/* Before all replicas, after what any of them ran; the start of each waits for it, and each next step. */
static void step_once(struct up *u, const struct svc_plan *sp, size_t i, size_t *last)
{
	const char *name =
		arena_printf(&u->plan->arena,
			     u->want->underscores ? "%s_%s_pre_start_%zu" : "%s-%s-pre_start-%zu",
			     u->want->name, sp->svc->name, i + 1);
	size_t wait = run_step(u, sp, sp->svc->pre_start[i].svc, name, last, sp->scale);

	for (unsigned k = 0; k < sp->scale; k++)
		last[k] = wait;
}

static void step_each(struct up *u, const struct svc_plan *sp, size_t i, size_t *last)
{
	for (unsigned k = 0; k < sp->scale; k++)
		if (starts(u, sp, k))
			last[k] = run_step(u, sp, sp->svc->pre_start[i].svc,
					   arena_printf(&u->plan->arena,
							u->want->underscores ? "%s_pre_start_%zu"
									     : "%s-pre_start-%zu",
							sp->replicas[k].name, i + 1),
					   &last[k], 1);
}

/* Steps for the service as a whole are for its first start: not when some of it runs. */
static void pre_start(struct up *u, struct svc_plan *sp)
{
	auto_free size_t *last = xcalloc(sp->scale + 1, sizeof(*last));
	bool any = false, all = true;

	for (unsigned k = 0; k < sp->scale; k++) {
		last[k] = PLAN_NONE;
		any |= starts(u, sp, k);
		all &= starts(u, sp, k);
	}
	for (size_t i = 0; any && i < sp->svc->n_pre_start; i++) {
		if (sp->svc->pre_start[i].per_replica)
			step_each(u, sp, i, last);
		else if (all)
			step_once(u, sp, i, last);
	}
	for (unsigned k = 0; k < sp->scale; k++)
		if (starts(u, sp, k))
			plan_after(u->plan, sp->replicas[k].start, last[k]);
}

static const char *name_of(struct up *u, const struct service *svc, unsigned number)
{
	if (svc->container_name)
		return svc->container_name;
	return arena_printf(&u->plan->arena, u->want->underscores ? "%s_%s_%u" : "%s-%s-%u",
			    u->want->name, svc->name, number);
}

static size_t about_old(struct up *u, enum plan_op op, const char *name,
			const struct state_container *old)
{
	size_t at = plan_add(u->plan, op, name, old->service);

	u->plan->actions.v[at].old = old->id;
	u->plan->actions.v[at].grace_us = u->opt->grace_us;
	return at;
}

/* The new one is made beside the old one, which stops then and gives its name away. */
static size_t swap(struct up *u, size_t made, const struct state_container *old)
{
	const char *name = u->plan->actions.v[made].name, *why = u->plan->actions.v[made].reason;
	size_t stop = PLAN_NONE, at;

	u->plan->actions.v[made].old = old->id;
	if (is_running(old) || old->status == STATE_PAUSED)
		stop = about_old(u, PLAN_STOP, old->name, old);
	at = about_old(u, PLAN_SWAP, name, old);
	u->plan->actions.v[at].reason = why;
	plan_after(u->plan, at, made);
	plan_after(u->plan, at, stop);
	return at;
}

/* Which of the two stays. */
static void settle(struct up *u, size_t last, const struct state_container *old)
{
	const char *name = u->plan->actions.v[last].name;

	plan_after(u->plan, about_old(u, PLAN_SETTLE, name, old), last);
}

static void replica(struct up *u, struct svc_plan *sp, unsigned number)
{
	const struct state_container *c = existing(u, sp->svc->name, number);
	const char *why = c ? why_recreate(u, sp->svc, c) : NULL;
	const char *name = c && !why ? c->name : name_of(u, sp->svc, number);
	size_t ready = PLAN_NONE, last;

	sp->replicas[number - 1].name = name;
	if (!c || why) {
		ready = create(u, sp->svc, name, number);
		u->plan->actions.v[ready].reason = why;
	}
	sp->replicas[number - 1].ready = ready;
	last = why ? swap(u, ready, c) : ready;
	if (!u->opt->no_start) {
		start(u, sp, number - 1, last, c && !why && is_running(c));
		last = sp->replicas[number - 1].start;
	}
	if (why)
		settle(u, last, c);
}

static void service(struct up *u, struct svc_plan *sp)
{
	if (sp->planned || sp->visiting || !sp->chosen)
		return;
	sp->visiting = true; /* the loader refused cycles; this only keeps us safe */
	for (size_t i = 0; i < sp->svc->n_deps; i++) {
		struct svc_plan *dep = find(u, sp->svc->deps[i].service);

		if (dep)
			service(u, dep);
	}
	sp->replicas = arena_array(&u->plan->arena, sp->scale + 1, sizeof(*sp->replicas));
	sp->waits = arena_array(&u->plan->arena, (size_t)sp->scale * 3 + 1, sizeof(*sp->waits));
	for (size_t i = 0; i < (size_t)sp->scale * 3; i++)
		sp->waits[i] = PLAN_NONE;
	for (unsigned n = 1; n <= sp->scale; n++)
		replica(u, sp, n);
	if (!u->opt->no_start)
		pre_start(u, sp);
	for (size_t i = 0; i < u->have->containers.n; i++) {
		const struct state_container *c = u->have->containers.v[i];

		if (!c->oneoff && c->number > sp->scale && strcmp(c->service, sp->svc->name) == 0)
			(void)drop(u, c);
	}
	sp->planned = true;
	sp->done = !u->opt->no_start;
	sp->visiting = false;
}

/* --wait: healthy where there is a check, else running; one-shots may have ended well. */
static void wait_for_all(struct up *u)
{
	for (size_t i = 0; i < u->n_svcs; i++) {
		struct svc_plan *sp = &u->svcs[i];

		for (unsigned k = 0; sp->done && k < sp->scale; k++) {
			size_t at =
				plan_add(u->plan, PLAN_WAIT, sp->replicas[k].name, sp->svc->name);

			u->plan->actions.v[at].condition = DEP_HEALTHY;
			u->plan->actions.v[at].final = true;
			plan_after(u->plan, at, sp->replicas[k].start);
		}
	}
}

static bool known_service(const struct project *want, const char *name)
{
	for (size_t i = 0; i < want->n_disabled; i++)
		if (strcmp(want->disabled[i].name, name) == 0)
			return true;
	return project_service(want, name) != NULL;
}

static void orphans(struct up *u, struct strs *names)
{
	for (size_t i = 0; i < u->have->containers.n; i++) {
		const struct state_container *c = u->have->containers.v[i];

		if (c->oneoff || known_service(u->want, c->service))
			continue;
		if (u->opt->remove_orphans)
			(void)drop(u, c);
		else if (names)
			strs_add(names, c->name);
	}
}

static unsigned scale_of(const struct plan_options *opt, const struct service *svc)
{
	uint64_t n;

	for (size_t i = 0; i < opt->n_scale; i++)
		if (strcmp(opt->scale[i].key, svc->name) == 0 &&
		    parse_u64(opt->scale[i].value, &n) == 0 && n <= 10000)
			return (unsigned)n;
	return svc->scale;
}

static void begin(struct up *u, const struct project *want, struct plan *plan)
{
	plan->working_dir = want->working_dir;
	plan->config_files = want->config_files;
	plan->networks = want->networks;
	plan->n_networks = want->n_networks;
	plan->volumes = want->volumes;
	plan->n_volumes = want->n_volumes;
	u->n_svcs = want->n_services + want->n_disabled;
	u->svcs = arena_array(&plan->arena, u->n_svcs + 1, sizeof(*u->svcs));
	u->nets = arena_array(&plan->arena, want->n_networks + 1, sizeof(*u->nets));
	u->vols = arena_array(&plan->arena, want->n_volumes + 1, sizeof(*u->vols));
	for (size_t i = 0; i < want->n_networks; i++)
		u->nets[i] = PLAN_NONE;
	for (size_t i = 0; i < want->n_volumes; i++)
		u->vols[i] = PLAN_NONE;
	for (size_t i = 0; i < u->n_svcs; i++) {
		u->svcs[i].svc = i < want->n_services ? &want->services[i]
						      : &want->disabled[i - want->n_services];
		u->svcs[i].scale = scale_of(u->opt, u->svcs[i].svc);
	}
}

static const struct state_container *given_up(const struct up *u, const struct plan_action *a)
{
	for (size_t i = 0; i < u->have->containers.n; i++) {
		const struct state_container *c = u->have->containers.v[i];

		if ((a->op == PLAN_REMOVE && str_eq(c->name, a->name)) ||
		    (a->op == PLAN_SWAP && str_eq(c->id, a->old)))
			return c;
	}
	return NULL;
}

/* An address or a port of the file that this container has now. */
static bool wants_of(const struct service *svc, const struct state_container *c)
{
	for (size_t i = 0; i < svc->n_networks; i++)
		for (size_t k = 0; k < c->endpoints.n; k++) {
			const struct service_network *sn = &svc->networks[i];
			const struct state_endpoint *ep = &c->endpoints.v[k];

			if ((sn->ipv4_address && str_eq(sn->ipv4_address, ep->ip)) ||
			    (sn->ipv6_address && str_eq(sn->ipv6_address, ep->ip6)))
				return true;
		}
	for (size_t i = 0; i < svc->n_ports; i++)
		for (size_t k = 0; k < c->ports.n; k++) {
			const struct service_port *p = &svc->ports[i];
			uint16_t has = c->ports.v[k].published;

			if (has && has >= p->published_lo && has <= p->published_hi &&
			    str_eq(p->protocol, c->ports.v[k].proto))
				return true;
		}
	return false;
}

static void starts_after(struct up *u, const struct svc_plan *sp, size_t at)
{
	for (unsigned k = 0; k < sp->scale; k++)
		if (u->plan->actions.v[sp->replicas[k].start].op == PLAN_START)
			plan_after(u->plan, sp->replicas[k].start, at);
}

/* Where one gives to another what only one can have, the one who gets it starts when the other has
 * stopped. */
static void after_givers(struct up *u)
{
	for (size_t i = 0; i < u->plan->actions.n; i++) {
		const struct state_container *giver = given_up(u, &u->plan->actions.v[i]);

		for (size_t k = 0; giver && k < u->n_svcs; k++)
			if (u->svcs[k].done && wants_of(u->svcs[k].svc, giver))
				starts_after(u, &u->svcs[k], i);
	}
}

int plan_up(const struct project *want, const struct state_project *have,
	    const struct plan_options *opt, struct plan **out, struct strs *orphan_names,
	    struct err *err)
{
	auto_plan struct plan *plan = plan_new(want->name);
	struct up u = { .plan = plan, .want = want, .have = have, .opt = opt };
	int r;

	begin(&u, want, plan);
	plan->remove_volumes = opt->remove_volumes;
	r = choose_all(&u, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < u.n_svcs; i++)
		service(&u, &u.svcs[i]);
	if (opt->wait)
		wait_for_all(&u);
	orphans(&u, orphan_names);
	after_givers(&u);
	*out = steal(plan);
	return 0;
}

/* ---- run -------------------------------------------------------------------------------------- */
static void add_volumes(struct plan *plan, const struct volume *extra, size_t n)
{
	struct volume *all = arena_array(&plan->arena, plan->n_volumes + n + 1, sizeof(*all));

	for (size_t i = 0; i < plan->n_volumes; i++)
		all[i] = plan->volumes[i];
	for (size_t i = 0; i < n; i++)
		all[plan->n_volumes + i] = extra[i];
	plan->volumes = all;
	plan->n_volumes += n;
}

int plan_run(const struct project *want, const struct state_project *have,
	     const struct plan_options *opt, const struct service *svc, const char *name,
	     bool start_it, const struct volume *extra, size_t n_extra, struct plan **out,
	     struct err *err)
{
	auto_plan struct plan *plan = plan_new(want->name);
	struct up u = { .plan = plan, .want = want, .have = have, .opt = opt };
	size_t at, first;

	begin(&u, want, plan);
	for (size_t i = 0; !opt->no_deps && i < svc->n_deps; i++) {
		struct svc_plan *dep = find(&u, svc->deps[i].service);

		if (!dep)
			return err_set(err, ENOENT, "service %s depends on %s, which is not there",
				       svc->name, svc->deps[i].service);
		choose(&u, dep);
	}
	for (size_t i = 0; i < u.n_svcs; i++)
		service(&u, &u.svcs[i]);
	first = plan->actions.n;
	for (size_t i = 0; i < n_extra; i++)
		(void)plan_add(plan, PLAN_VOLUME_MAKE, extra[i].name, extra[i].key);
	at = create(&u, svc, name, 1);
	plan->actions.v[at].oneoff = true;
	plan->actions.v[at].use_aliases = opt->use_aliases;
	for (size_t i = 0; i < n_extra; i++)
		plan_after(plan, at, first + i);
	for (size_t i = 0; !opt->no_deps && i < svc->n_deps; i++) {
		struct svc_plan *dep = find(&u, svc->deps[i].service);

		for (size_t k = 0; dep && dep->done && k < dep->scale; k++) {
			size_t cond = condition(&u, dep, k, &svc->deps[i]);

			plan_after(plan, at, cond);
		}
	}
	if (start_it)
		plan_after(plan, plan_add(plan, PLAN_START, name, svc->name), at);
	add_volumes(plan, extra, n_extra);
	*out = steal(plan);
	return 0;
}

void plan_remove_one(const struct state_project *have, const struct state_container *c,
		     struct plan **out)
{
	struct plan *plan = plan_new(have->name);
	size_t stop = plan_add(plan, PLAN_STOP, c->name, c->service);

	plan->actions.v[stop].grace_us = -1;
	plan_after(plan, plan_add(plan, PLAN_REMOVE, c->name, c->service), stop);
	plan->remove_volumes = true;
	*out = plan;
}

void plan_pause_one(const struct state_project *have, const struct state_container *c, bool pause,
		    struct plan **out)
{
	*out = plan_new(have->name);
	(void)plan_add(*out, pause ? PLAN_PAUSE : PLAN_UNPAUSE, c->name, c->service);
}
