/* cmd_ps_test.c - the words of `ps`: status, ports, command, rows, tables and templates. */
#include "containers/container.h"
#include "screen/screen.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW (1800000000ULL * 1000000000ULL)
#define S   1000000000ULL
#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct state_project *new_project(struct state_container **c)
{
	struct state_project *s = state_new("shop");

	state_set(&s->working_dir, "/srv/shop");
	strs_add(&s->config_files, "/srv/shop/compose.yaml");
	*c = state_container_add(s);
	state_set(&(*c)->id, ID);
	state_set(&(*c)->name, "shop-web-1");
	state_set(&(*c)->service, "web");
	state_set(&(*c)->image, "nginx");
	(*c)->number = 1;
	return s;
}

static const struct {
	struct state_container c;
	const char *text;
} statuses[] = {
	{ { .status = STATE_RUNNING, .started_ns = NOW - 5 * S }, "Up 5 seconds" },
	{ { .status = STATE_RUNNING, .started_ns = NOW - 90 * S, .health = STATE_HEALTHY },
	  "Up About a minute (healthy)" },
	{ { .status = STATE_RUNNING, .started_ns = NOW - 2 * S, .health = STATE_HEALTH_STARTING },
	  "Up 2 seconds (health: starting)" },
	{ { .status = STATE_RUNNING, .started_ns = NOW + 9 * S }, "Up Less than a second" },
	{ { .status = STATE_PAUSED, .started_ns = NOW - 3600 * S }, "Up About an hour (Paused)" },
	{ { .status = STATE_EXITED, .finished_ns = NOW - 180 * S, .exit_code = 3 },
	  "Exited (3) 3 minutes ago" },
	{ { .status = STATE_EXITED,
	    .finished_ns = NOW - 180 * S,
	    .exit_code = 137,
	    .oom_killed = true },
	  "Exited (137) 3 minutes ago, OOM-killed" },
	{ { .status = STATE_RESTARTING, .finished_ns = NOW - 7 * S, .exit_code = 1 },
	  "Restarting (1) 7 seconds ago" },
	{ { .status = STATE_CREATED }, "Created" },
	{ { .status = STATE_DEAD }, "Dead" },
	{ { .status = STATE_REMOVING }, "Removal In Progress" },
};

START_TEST(a_status_reads_as_docker_words_it)
{
	auto_sbuf struct sbuf out = SBUF_INIT;

	container_status(&statuses[_i].c, NOW, &out);
	ck_assert_str_eq(sbuf_str(&out), statuses[_i].text);
}
END_TEST

static void add_port(struct state_container *c, const char *ip, uint16_t from, uint16_t to,
		     const char *proto)
{
	struct state_port *p = state_port_add(c);

	state_set(&p->host_ip, ip);
	state_set(&p->proto, proto);
	p->published = from;
	p->target = to;
}

START_TEST(neighbouring_ports_are_one_range)
{
	auto_sbuf struct sbuf out = SBUF_INIT;
	struct state_container *c;
	auto_state struct state_project *s = new_project(&c);

	add_port(c, "127.0.0.1", 8001, 81, "tcp");
	add_port(c, "127.0.0.1", 8000, 80, "tcp");
	add_port(c, NULL, 53, 53, "udp");
	add_port(c, NULL, 0, 90, "tcp");
	container_ports(c, &out);
	ck_assert_str_eq(sbuf_str(&out), "90/tcp, 127.0.0.1:8000-8001->80-81/tcp, "
					 "0.0.0.0:53->53/udp, [::]:53->53/udp");
}
END_TEST

START_TEST(long_texts_get_an_ellipsis_by_characters)
{
	auto_free char *a = ellipsis("abcdef", 6), *b = ellipsis("abcdefg", 6);
	auto_free char *c = ellipsis("äöüäöü", 6), *d = ellipsis("äöüäöüx", 6);

	ck_assert_str_eq(a, "abcdef");
	ck_assert_str_eq(b, "abcde…");
	ck_assert_str_eq(c, "äöüäöü");
	ck_assert_str_eq(d, "äöüäö…");
}
END_TEST

START_TEST(a_row_has_dockers_keys)
{
	static const char *const keys[] = {
		"Command",      "CreatedAt",  "ExitCode", "Health", "ID",       "Image",  "Labels",
		"LocalVolumes", "Mounts",     "Name",     "Names",  "Networks", "Ports",  "Project",
		"Publishers",   "RunningFor", "Service",  "Size",   "State",    "Status",
	};
	struct state_container *c;
	auto_state struct state_project *s = new_project(&c);
	auto_json struct json *row = NULL, *full = NULL;
	const struct json *publishers;

	state_set(&c->config_json,
		  "{\"entrypoint\":[\"/bin/sh\",\"-c\"],\"command\":[\"echo hello world\"],"
		  "\"labels\":{\"a\":\"b\"}}");
	add_port(c, NULL, 8080, 80, "tcp");
	row = container_row(s, c, NULL, NOW, true);
	full = container_row(s, c, NULL, NOW, false);
	ck_assert_uint_eq(json_count(row), ARRAY_LEN(keys));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		ck_assert_msg(json_get(row, keys[i]) != NULL, "%s", keys[i]);
	ck_assert_str_eq(json_str(row, "ID", ""), "0123456789ab");
	ck_assert_str_eq(json_str(full, "ID", ""), ID);
	ck_assert_str_eq(json_str(row, "Command", ""), "\"/bin/sh -c echo hel…\"");
	ck_assert_str_eq(json_str(full, "Command", ""), "\"/bin/sh -c echo hello world\"");
	ck_assert(strstr(json_str(row, "Labels", ""), "com.docker.compose.project=shop,"));
	ck_assert(strstr(json_str(row, "Labels", ""), ",a=b"));
	publishers = json_get(row, "Publishers");
	ck_assert_uint_eq(json_count(publishers), 2);
	ck_assert_str_eq(json_str(json_first(publishers), "URL", ""), "0.0.0.0");
	ck_assert_int_eq(json_int(json_first(publishers), "PublishedPort", 0), 8080);
}
END_TEST

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	static const char *const headers[] = { "NAME", "WHAT", "END", NULL };
	static const char *const cells[] = { "a", "äö", "", "longer", "x\033[31m\n", "z" };
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_table struct table t;

	table_start(&t, headers);
	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		table_cell(&t, cells[i]);
	table_text(&t, &out);
	ck_assert_str_eq(sbuf_str(&out), "NAME     WHAT      END\n"
					 "a        äö\n"
					 "longer   x?[31m?   z\n");
}
END_TEST

static const struct {
	const char *format, *text;
} templates[] = {
	{ "{{.Name}}", "a\nb\n" },
	{ "{{ .Name }}:{{.Port}}", "a:1\nb:2\n" },
	{ "{{json .Name}}", "\"a\"\n\"b\"\n" },
	{ "{{json .}}", "{\"Name\":\"a\",\"Port\":1,\"Labels\":\"x=1,yy=2\"}\n"
			"{\"Name\":\"b\",\"Port\":2,\"Labels\":\"\"}\n" },
	{ "{{.Label \"yy\"}}", "2\n\n" },
	{ "{{.Label \"y\"}}", "\n\n" },
	{ "{{.Name}}\\t{{.Port}}", "a\t1\nb\t2\n" },
	{ "table {{.Name}}\\t{{.Port}}", "NAME   PORT\na      1\nb      2\n" },
	{ "plain", "plain\nplain\n" },
	{ "{{if .Labels}}{{.Name}}{{else}}none{{end}}", "a\nnone\n" },
	{ "{{if .Nope}}x{{end}}.", ".\n.\n" },
	{ "{{range .}}<{{.}}>{{end}}", "<a><1><x=1,yy=2>\n<b><2><>\n" },
	{ "{{range .Labels}}x{{else}}no {{if .Name}}{{.Name}}{{end}}{{end}}", "no a\nno b\n" },
	{ "{{.}}", "map[Name:a Port:1 Labels:x=1,yy=2]\nmap[Name:b Port:2 Labels:]\n" },
};

static struct json *two_rows(void)
{
	static const char text[] = "[{\"Name\":\"a\",\"Port\":1,\"Labels\":\"x=1,yy=2\"},"
				   "{\"Name\":\"b\",\"Port\":2,\"Labels\":\"\"}]";
	struct json *rows = NULL;

	ck_assert_int_eq(json_parse(text, strlen(text), &rows, NULL), 0);
	return rows;
}

START_TEST(templates_print_each_row)
{
	auto_json struct json *rows = two_rows();
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(template_print(templates[_i].format, rows, NULL, &out, &err), 0);
	ck_assert_str_eq(sbuf_str(&out), templates[_i].text);
}
END_TEST

static const struct {
	const char *format, *text;
} wrong[] = {
	{ "{{.Nope}}", "--format: there is no '.Nope'" },
	{ "{{.Name", "--format: '{{' without '}}'" },
	{ "{{range .}}", "--format: there is no {{end}}" },
	{ "{{if .Name}}x", "--format: there is no {{end}}" },
	{ "x{{end}}", "--format: {{end}} without {{range}} or {{if}}" },
	{ "{{else}}", "--format: {{else}} without {{range}} or {{if}}" },
	{ "{{.Name.Inner}}", "--format: there is no '.Name.Inner'" },
	{ "{{printf .Name}}",
	  "--format: '{{printf .Name}}' is not understood; there are {{.Key}}, {{.Key.Inner}}, "
	  "{{json .Key}}, {{index .Key \"name\"}}, {{join .Key \", \"}}, {{.Label \"name\"}}, "
	  "{{range .Key}}, {{if .Key}}, {{else}} and {{end}}" },
};

START_TEST(other_templates_are_refused)
{
	auto_json struct json *rows = two_rows();
	auto_sbuf struct sbuf out = SBUF_INIT;
	auto_err struct err err = ERR_INIT;

	ck_assert_int_eq(template_print(wrong[_i].format, rows, NULL, &out, &err), -EINVAL);
	ck_assert_str_eq(err_text(&err), wrong[_i].text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmd_ps");
	TCase *t = tcase_create("words");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(t, a_status_reads_as_docker_words_it, 0, ARRAY_LEN(statuses));
	tcase_add_test(t, neighbouring_ports_are_one_range);
	tcase_add_test(t, long_texts_get_an_ellipsis_by_characters);
	tcase_add_test(t, a_row_has_dockers_keys);
	tcase_add_test(t, columns_are_as_wide_as_their_widest_cell);
	tcase_add_loop_test(t, templates_print_each_row, 0, ARRAY_LEN(templates));
	tcase_add_loop_test(t, other_templates_are_refused, 0, ARRAY_LEN(wrong));
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
