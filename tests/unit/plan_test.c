/* plan_test.c - from what is wanted and what is there to actions */
#include <ctrcompose/plan.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* web depends on db; both on network n. */
struct world {
	struct project p;
	struct service services[2];
	struct service_dep dep;
	struct service_network nets[2];
	struct network net;
	struct state_project *have;
};

static void world_make(struct world *w)
{
	*w = (struct world){ 0 };
	w->dep = (struct service_dep){ .service = "db", .required = true };
	for (size_t i = 0; i < 2; i++) {
		w->nets[i] = (struct service_network){ .network = "n" };
		w->services[i] = (struct service){ .name = i ? "web" : "db",
						   .image = "box",
						   .scale = 1,
						   .networks = &w->nets[i],
						   .n_networks = 1,
						   .config_json = "{}" };
		(void)strcpy(w->services[i].config_hash, "h");
	}
	w->services[1].deps = &w->dep;
	w->services[1].n_deps = 1;
	w->net = (struct network){ .key = "n", .name = "p_n", .driver = "bridge" };
	w->p = (struct project){ .name = "p",
				 .working_dir = "/",
				 .services = w->services,
				 .n_services = 2,
				 .networks = &w->net,
				 .n_networks = 1 };
	w->have = state_new("p");
}

static struct state_container *there(struct world *w, const char *service, unsigned number,
				     const char *hash)
{
	struct state_container *c = state_container_add(w->have);
	auto_free char *name = xasprintf("p-%s-%u", service, number);

	state_set(&c->name, name);
	state_set(&c->service, service);
	state_set(&c->config_hash, hash);
	c->number = number;
	c->status = STATE_RUNNING;
	state_set(&state_endpoint_add(c)->network, "p_n");
	return c;
}

static void network_there(struct world *w)
{
	struct state_network *n = state_network_add(w->have);

	state_set(&n->key, "n");
	state_set(&n->name, "p_n");
}

/* "create p-db-1, start p-db-1 after 0 ..." */
static char *text(const struct plan *plan)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	for (size_t i = 0; i < plan->actions.n; i++) {
		const struct plan_action *a = &plan->actions.v[i];

		if (a->op != PLAN_NETWORK_UP)
			sbuf_addf(&out, "%s%s %s", out.len ? ", " : "", plan_doing(a->op), a->name);
	}
	return sbuf_take(&out);
}

static bool comes_after(const struct plan *plan, size_t i, size_t of, unsigned depth)
{
	const struct plan_action *a = &plan->actions.v[i];

	for (size_t k = 0; depth && k < a->n_after; k++)
		if (a->after[k] == of || comes_after(plan, a->after[k], of, depth - 1))
			return true;
	return false;
}

static size_t at(const struct plan *plan, enum plan_op op, const char *name)
{
	for (size_t i = 0; i < plan->actions.n; i++)
		if (plan->actions.v[i].op == op && strcmp(plan->actions.v[i].name, name) == 0)
			return i;
	ck_abort_msg("no such action on %s", name);
	return 0;
}

static struct plan *up(struct world *w, const struct plan_options *opt, struct strs *orphans)
{
	auto_err struct err err = ERR_INIT;
	struct plan *plan = NULL;
	int r = plan_up(&w->p, w->have, opt, &plan, orphans, &err);

	ck_assert_msg(r == 0, "%s", err_text(&err));
	return plan;
}

static void expect(struct world *w, const struct plan_options *opt, const char *wanted)
{
	auto_plan struct plan *plan = up(w, opt, NULL);
	auto_free char *got = text(plan);

	ck_assert_str_eq(got, wanted);
	state_free(w->have);
}

START_TEST(a_new_project_is_made_in_order)
{
	struct world w;
	auto_plan struct plan *plan = NULL;

	world_make(&w);
	plan = up(&w, &(struct plan_options){ .grace_us = -1 }, NULL);
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-1"), at(plan, PLAN_START, "p-db-1"),
			      9));
	ck_assert(comes_after(plan, at(plan, PLAN_CREATE, "p-db-1"),
			      at(plan, PLAN_NETWORK_UP, "p_n"), 9));
	ck_assert(!comes_after(plan, at(plan, PLAN_START, "p-db-1"),
			       at(plan, PLAN_START, "p-web-1"), 9));
	state_free(w.have);
}
END_TEST

START_TEST(without_a_start_each_is_made_once)
{
	struct world w;

	world_make(&w);
	expect(&w, &(struct plan_options){ .grace_us = -1, .no_start = true },
	       "Creating p-db-1, Creating p-web-1");
}
END_TEST

START_TEST(what_is_as_it_should_be_is_kept)
{
	struct world w;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "db", 1, "h");
	(void)there(&w, "web", 1, "h");
	expect(&w, &(struct plan_options){ .grace_us = -1 }, "Running p-db-1, Running p-web-1");
}
END_TEST

START_TEST(what_changed_is_made_anew)
{
	struct world w;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "db", 1, "h");
	(void)there(&w, "web", 1, "old");
	expect(&w, &(struct plan_options){ .grace_us = -1 },
	       "Running p-db-1, Creating p-web-1, Stopping p-web-1, Recreating p-web-1, Starting p-web-1, Replacing p-web-1");
}
END_TEST

START_TEST(another_network_by_the_same_key_is_a_change)
{
	struct world w;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "db", 1, "h");
	(void)there(&w, "web", 1, "h");
	w.net.name = "common";
	w.net.external = true;
	expect(&w, &(struct plan_options){ .grace_us = -1 },
	       "Creating p-db-1, Stopping p-db-1, Recreating p-db-1, Starting p-db-1, Replacing "
	       "p-db-1, Creating p-web-1, Stopping p-web-1, Recreating p-web-1, Starting p-web-1, "
	       "Replacing p-web-1");
}
END_TEST

START_TEST(force_is_for_those_that_are_named)
{
	static const char *const web[] = { "web", NULL };
	struct world w;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "db", 1, "h");
	(void)there(&w, "web", 1, "h");
	expect(&w,
	       &(struct plan_options){ .grace_us = -1, .force_recreate = true, .services = web },
	       "Running p-db-1, Creating p-web-1, Stopping p-web-1, Recreating p-web-1, Starting p-web-1, Replacing p-web-1");
}
END_TEST

START_TEST(replicas_come_and_go)
{
	const struct kv scale[] = { { "db", "2" } };
	struct world w;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "db", 1, "h");
	(void)there(&w, "db", 3, "h");
	(void)there(&w, "web", 1, "h");
	expect(&w, &(struct plan_options){ .grace_us = -1, .scale = scale, .n_scale = 1 },
	       "Running p-db-1, Creating p-db-2, Starting p-db-2, Stopping p-db-3, Removing p-db-3, "
	       "Running p-web-1");
}
END_TEST

START_TEST(orphans_are_named_and_left)
{
	auto_strs struct strs orphans = { 0 };
	auto_plan struct plan *plan = NULL;
	struct world w;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "gone", 1, "h");
	plan = up(&w, &(struct plan_options){ .grace_us = -1 }, &orphans);
	ck_assert_uint_eq(orphans.n, 1);
	ck_assert_str_eq(orphans.v[0], "p-gone-1");
	for (size_t i = 0; i < plan->actions.n; i++)
		ck_assert_str_ne(plan->actions.v[i].name, "p-gone-1");
	state_free(w.have);
}
END_TEST

START_TEST(down_stops_dependents_first)
{
	auto_err struct err err = ERR_INIT;
	auto_plan struct plan *plan = NULL;
	struct world w;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "db", 1, "h");
	(void)there(&w, "web", 1, "h");
	state_set(
		&w.have->containers.v[1]->config_json,
		"{\"depends_on\":{\"db\":{\"condition\":\"service_started\",\"required\":true}}}");
	ck_assert_int_eq(
		plan_down(&w.p, w.have, &(struct plan_options){ .grace_us = -1 }, &plan, &err), 0);
	ck_assert(comes_after(plan, at(plan, PLAN_STOP, "p-db-1"), at(plan, PLAN_STOP, "p-web-1"),
			      9));
	ck_assert(plan->forget);
	state_free(w.have);
}
END_TEST

START_TEST(a_plan_survives_the_socket)
{
	auto_err struct err err = ERR_INIT;
	auto_plan struct plan *plan = NULL, *back = NULL;
	auto_sbuf struct sbuf wire = SBUF_INIT;
	auto_free char *a = NULL, *b = NULL;
	struct world w;

	world_make(&w);
	plan = up(&w, &(struct plan_options){ .grace_us = -1 }, NULL);
	plan_encode(plan, &wire);
	ck_assert_int_eq(plan_decode(sbuf_str(&wire), wire.len, &back, &err), 0);
	a = text(plan);
	b = text(back);
	ck_assert_str_eq(a, b);
	state_free(w.have);
}
END_TEST

/* ---- pre_start: two steps of web, the second one for each replica */
struct steps {
	struct world w;
	struct service one, each;
	struct service_step v[2];
};

static void steps_make(struct steps *s)
{
	world_make(&s->w);
	s->one = s->each = (struct service){ .name = "web", .image = "box", .config_json = "{}" };
	s->v[0] = (struct service_step){ .svc = &s->one };
	s->v[1] = (struct service_step){ .svc = &s->each, .per_replica = true };
	s->w.services[1].pre_start = s->v;
	s->w.services[1].n_pre_start = 2;
}

START_TEST(steps_run_before_the_service_one_after_the_other)
{
	static const struct plan_options opt = { .grace_us = -1 };
	auto_plan struct plan *plan = NULL;
	struct steps s;
	size_t once, each, web;

	steps_make(&s);
	plan = up(&s.w, &opt, NULL);
	once = at(plan, PLAN_WAIT, "p-web-pre_start-1");
	each = at(plan, PLAN_WAIT, "p-web-1-pre_start-2");
	web = at(plan, PLAN_START, "p-web-1");
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-pre_start-1"),
			      at(plan, PLAN_START, "p-db-1"), 9));
	ck_assert(comes_after(plan, once, at(plan, PLAN_START, "p-web-pre_start-1"), 9));
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-1-pre_start-2"), once, 9));
	ck_assert(comes_after(plan, web, each, 9));
	ck_assert_int_eq(plan->actions.v[once].condition, DEP_COMPLETED);
	ck_assert(plan->actions.v[once].required && plan->actions.v[once].oneoff);
	ck_assert(plan->actions.v[at(plan, PLAN_CREATE, "p-web-pre_start-1")].oneoff);
	/* Its container goes when it has ended well, and nothing waits for that. */
	ck_assert(comes_after(plan, at(plan, PLAN_REMOVE, "p-web-pre_start-1"), once, 1));
	ck_assert(!comes_after(plan, web, at(plan, PLAN_REMOVE, "p-web-pre_start-1"), 9));
	state_free(s.w.have);
}
END_TEST

START_TEST(a_step_runs_once_or_for_each_replica)
{
	const struct kv scale[] = { { "web", "2" } };
	auto_plan struct plan *plan = NULL;
	struct steps s;
	size_t once;

	steps_make(&s);
	plan = up(&s.w, &(struct plan_options){ .grace_us = -1, .scale = scale, .n_scale = 1 },
		  NULL);
	once = at(plan, PLAN_WAIT, "p-web-pre_start-1");
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-1-pre_start-2"), once, 9));
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-2-pre_start-2"), once, 9));
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-2"),
			      at(plan, PLAN_WAIT, "p-web-2-pre_start-2"), 9));
	ck_assert(!comes_after(plan, at(plan, PLAN_START, "p-web-2"),
			       at(plan, PLAN_WAIT, "p-web-1-pre_start-2"), 9));
	state_free(s.w.have);
}
END_TEST

START_TEST(a_step_for_all_comes_after_those_of_each_replica)
{
	const struct kv scale[] = { { "web", "2" } };
	auto_plan struct plan *plan = NULL;
	struct steps s;

	steps_make(&s);
	s.v[0].per_replica = true;
	s.v[1].per_replica = false;
	plan = up(&s.w, &(struct plan_options){ .grace_us = -1, .scale = scale, .n_scale = 1 },
		  NULL);
	for (int k = 1; k <= 2; k++) {
		auto_free char *own = xasprintf("p-web-%d-pre_start-1", k);

		ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-pre_start-2"),
				      at(plan, PLAN_WAIT, own), 9));
	}
	state_free(s.w.have);
}
END_TEST

START_TEST(no_step_for_what_runs_or_is_not_started)
{
	struct steps s;

	steps_make(&s);
	network_there(&s.w);
	(void)there(&s.w, "db", 1, "h");
	(void)there(&s.w, "web", 1, "h");
	expect(&s.w, &(struct plan_options){ .grace_us = -1 }, "Running p-db-1, Running p-web-1");
	steps_make(&s);
	expect(&s.w, &(struct plan_options){ .grace_us = -1, .no_start = true },
	       "Creating p-db-1, Creating p-web-1");
}
END_TEST

START_TEST(names_of_steps_have_underscores_where_all_have)
{
	auto_plan struct plan *plan = NULL;
	struct steps s;

	steps_make(&s);
	s.w.p.underscores = true;
	plan = up(&s.w, &(struct plan_options){ .grace_us = -1 }, NULL);
	(void)at(plan, PLAN_START, "p_web_pre_start_1");
	(void)at(plan, PLAN_START, "p_web_1_pre_start_2");
	(void)at(plan, PLAN_START, "p_web_1");
	state_free(s.w.have);
}
END_TEST

START_TEST(another_replica_has_only_its_own_steps)
{
	const struct kv scale[] = { { "web", "2" } };
	struct steps s;

	steps_make(&s);
	network_there(&s.w);
	(void)there(&s.w, "db", 1, "h");
	(void)there(&s.w, "web", 1, "h");
	expect(&s.w, &(struct plan_options){ .grace_us = -1, .scale = scale, .n_scale = 1 },
	       "Running p-db-1, Running p-web-1, Creating p-web-2, Starting p-web-2, Creating "
	       "p-web-2-pre_start-2, Starting p-web-2-pre_start-2, Waiting p-web-2-pre_start-2, "
	       "Removing p-web-2-pre_start-2");
}
END_TEST

START_TEST(what_a_failed_step_left_is_made_anew)
{
	auto_plan struct plan *plan = NULL;
	struct state_container *c;
	struct steps s;

	steps_make(&s);
	c = there(&s.w, "web", 1, "h");
	state_set(&c->name, "p-web-pre_start-1");
	c->oneoff = true;
	c->status = STATE_EXITED;
	plan = up(&s.w, &(struct plan_options){ .grace_us = -1 }, NULL);
	ck_assert_uint_lt(at(plan, PLAN_REMOVE, "p-web-pre_start-1"),
			  at(plan, PLAN_CREATE, "p-web-pre_start-1"));
	ck_assert(comes_after(plan, at(plan, PLAN_CREATE, "p-web-pre_start-1"),
			      at(plan, PLAN_REMOVE, "p-web-pre_start-1"), 1));
	state_free(s.w.have);
}
END_TEST

START_TEST(the_new_one_is_made_first_and_starts_when_the_old_one_has_stopped)
{
	struct world w;
	struct state_container *old;
	auto_plan struct plan *plan = NULL;
	size_t made, stop, named, runs, end;

	world_make(&w);
	network_there(&w);
	(void)there(&w, "db", 1, "h");
	old = there(&w, "web", 1, "older");
	state_set(&old->id, "0123456789abcdef");
	w.services[1].container_name = "mine";
	plan = up(&w, &(struct plan_options){ .grace_us = 7 }, NULL);
	made = at(plan, PLAN_CREATE, "mine");
	stop = at(plan, PLAN_STOP, "p-web-1");
	named = at(plan, PLAN_SWAP, "mine");
	runs = at(plan, PLAN_START, "mine");
	end = at(plan, PLAN_SETTLE, "mine");
	ck_assert(!comes_after(plan, made, stop, 9) && !comes_after(plan, stop, made, 9));
	ck_assert(comes_after(plan, named, made, 1) && comes_after(plan, named, stop, 1));
	ck_assert(comes_after(plan, runs, named, 1) && comes_after(plan, end, runs, 1));
	ck_assert_int_eq(plan->actions.v[stop].grace_us, 7);
	for (size_t i = 0; i < plan->actions.n; i++)
		ck_assert_int_eq(plan->actions.v[i].old != NULL,
				 i == made || i == stop || i == named || i == end);
	ck_assert_str_eq(plan->actions.v[end].old, "0123456789abcdef");
	state_free(w.have);
}
END_TEST

START_TEST(who_gets_the_address_or_port_of_another_starts_after_it_has_stopped)
{
	struct service_port port = {
		.target = 80, .published_lo = 8080, .published_hi = 8080, .protocol = "tcp"
	};
	struct world w;
	struct state_container *db, *web;
	struct state_port *has;
	auto_plan struct plan *plan = NULL;

	world_make(&w);
	network_there(&w);
	db = there(&w, "db", 1, "older");
	state_set(&db->id, "aaaa");
	state_set(&db->endpoints.v[0].ip, "10.0.0.5");
	web = there(&w, "web", 1, "older");
	state_set(&web->id, "bbbb");
	has = state_port_add(web);
	has->published = 8080;
	state_set(&has->proto, "tcp");
	w.nets[1].ipv4_address = "10.0.0.5";
	w.services[0].ports = &port;
	w.services[0].n_ports = 1;
	plan = up(&w, &(struct plan_options){ .grace_us = -1 }, NULL);
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-web-1"), at(plan, PLAN_SWAP, "p-db-1"),
			      1));
	ck_assert(comes_after(plan, at(plan, PLAN_START, "p-db-1"), at(plan, PLAN_SWAP, "p-web-1"),
			      1));
	state_free(w.have);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan");
	TCase *t = tcase_create("plan");
	SRunner *run = srunner_create(s);
	int failed;

	tcase_add_test(t, a_new_project_is_made_in_order);
	tcase_add_test(t, without_a_start_each_is_made_once);
	tcase_add_test(t, what_is_as_it_should_be_is_kept);
	tcase_add_test(t, what_changed_is_made_anew);
	tcase_add_test(t, the_new_one_is_made_first_and_starts_when_the_old_one_has_stopped);
	tcase_add_test(t, who_gets_the_address_or_port_of_another_starts_after_it_has_stopped);
	tcase_add_test(t, another_network_by_the_same_key_is_a_change);
	tcase_add_test(t, force_is_for_those_that_are_named);
	tcase_add_test(t, replicas_come_and_go);
	tcase_add_test(t, orphans_are_named_and_left);
	tcase_add_test(t, down_stops_dependents_first);
	tcase_add_test(t, a_plan_survives_the_socket);
	tcase_add_test(t, steps_run_before_the_service_one_after_the_other);
	tcase_add_test(t, a_step_runs_once_or_for_each_replica);
	tcase_add_test(t, a_step_for_all_comes_after_those_of_each_replica);
	tcase_add_test(t, no_step_for_what_runs_or_is_not_started);
	tcase_add_test(t, another_replica_has_only_its_own_steps);
	tcase_add_test(t, names_of_steps_have_underscores_where_all_have);
	tcase_add_test(t, what_a_failed_step_left_is_made_anew);
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
