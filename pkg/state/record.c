/* record.c - the record of a project as text and as files, durable and live; see state.h */
#include "internal.h"

#include <ctrcompose/json.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* {"version":1,"sum":"0123456789abcdef","state":BODY}\n - one spelling, so that every changed
 * byte shows: those around the body by comparison, those in it by the FNV-1a sum (each step of
 * which is a bijection, so one changed byte can't go unseen). */
#define HEAD     "{\"version\":"
#define SUM      ",\"sum\":\""
#define STATE    "\",\"state\":"
#define TAIL     "}\n"
#define SUM_SIZE 16

void envelope_add(const char *body, struct sbuf *out)
{
	sbuf_addf(out, HEAD "%d" SUM "%016llx" STATE, STATE_VERSION,
		  (unsigned long long)str_hash(body));
	sbuf_adds(out, body);
	sbuf_adds(out, TAIL);
}

static bool eat(const char **p, const char *end, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

int envelope_open(const char *text, size_t len, const char *where, const char **body,
		  size_t *body_len, struct err *err)
{
	const char *p = text, *end = text + len, *sum;
	auto_free char *copy = NULL, *want = NULL;
	unsigned version = 0;
	int digits = 0;

	if (len == 0)
		return err_set(err, -EBADMSG, "%s: is empty", where);
	if (!eat(&p, end, HEAD))
		return err_set(err, -EBADMSG, "%s: is no state record", where);
	for (; p < end && *p >= '0' && *p <= '9' && digits < 9; p++, digits++)
		version = version * 10 + (unsigned)(*p - '0');
	if (version > STATE_VERSION && p < end && *p == ',')
		return err_set(
			err, -EPROTO,
			"%s: was written by a newer ctrcompose (version %u, this one knows %d)",
			where, version, STATE_VERSION);
	if (digits != 1 || version != STATE_VERSION || !eat(&p, end, SUM))
		return err_set(err, -EBADMSG, "%s: is damaged at byte %zu", where,
			       (size_t)(p - text));
	sum = p;
	p += (size_t)(end - p) < SUM_SIZE ? (size_t)(end - p) : SUM_SIZE;
	if (!eat(&p, end, STATE) || (size_t)(end - p) < strlen(TAIL) ||
	    memcmp(end - strlen(TAIL), TAIL, strlen(TAIL)) != 0)
		return err_set(err, -EBADMSG, "%s: is cut off or damaged", where);
	copy = xstrndup(p, (size_t)(end - p) - strlen(TAIL));
	want = xasprintf("%016llx", (unsigned long long)str_hash(copy));
	if (memcmp(sum, want, SUM_SIZE) != 0 || memchr(p, '\0', (size_t)(end - p)))
		return err_set(err, -EBADMSG, "%s: is damaged (its checksum is wrong)", where);
	*body = p;
	*body_len = (size_t)(end - p) - strlen(TAIL);
	return 0;
}

bool id_ok(const char *id)
{
	return id && strlen(id) == ID_DIGITS && strspn(id, "0123456789abcdef") == ID_DIGITS;
}

/* ---- Text ---- */

void state_encode(const struct state_project *s, struct sbuf *out)
{
	auto_json struct json *j = json_object();
	auto_free char *body = NULL;

	table_encode(&project_table, s, false, j);
	body = json_print(j);
	envelope_add(body, out);
}

/* What the tables can't say. */
static int check(const struct state_project *s, const char *where, struct err *err)
{
	auto_map struct map seen = { NULL, 0, 0, NULL, 0, 0 };

	if (!state_project_name_ok(s->name))
		return err_set(err, -EBADMSG, "%s: name is no project's name", where);
	if (strlen(s->boot_id) != 36)
		return err_set(err, -EBADMSG, "%s: boot_id is none", where);
	if (s->uid_base && (s->uid_base < STATE_UID_FIRST || s->uid_base % STATE_UID_COUNT ||
			    (s->uid_base - STATE_UID_FIRST) / STATE_UID_COUNT >= STATE_UID_SLOTS))
		return err_set(err, -EBADMSG, "%s: uid_base is out of its range", where);
	for (size_t i = 0; i < s->containers.n; i++) {
		const struct state_container *c = s->containers.v[i];

		if (!id_ok(c->id))
			return err_set(err, -EBADMSG, "%s: containers[%zu]: id is none", where, i);
		if (map_has(&seen, c->id))
			return err_set(err, -EBADMSG, "%s: containers[%zu]: id is there twice",
				       where, i);
		map_put(&seen, c->id, s->containers.v[i]);
	}
	return 0;
}

int state_decode(const char *text, size_t len, const char *where, struct state_project **out,
		 struct err *err)
{
	auto_state struct state_project *s = xcalloc(1, sizeof(*s));
	auto_json struct json *j = NULL;
	const char *body = NULL;
	size_t body_len = 0;
	int r = envelope_open(text, len, where, &body, &body_len, err);

	if (r < 0)
		return r;
	r = json_parse(body, body_len, &j, err);
	if (r < 0)
		return err_wrap(err, -EBADMSG, "%s", where);
	r = table_decode(&project_table, j, false, where, s, err);
	if (r == 0)
		r = check(s, where, err);
	if (r < 0)
		return r;
	*out = steal(s);
	return 0;
}

struct state_project *state_new(const char *project)
{
	struct state_project *s = xcalloc(1, sizeof(*s));
	char boot[37];

	s->name = xstrdup(project);
	s->boot_id = xstrdup(boot_id(boot) == 0 ? boot : "00000000-0000-0000-0000-000000000000");
	return s;
}

void state_free(struct state_project *s)
{
	if (!s)
		return;
	table_clear(&project_table, s);
	free(s);
}

void auto_state_fn(struct state_project **s)
{
	state_free(*s);
}

/* ---- Files ---- */

int state_load_all(const struct state_paths *p, const char *project, struct state_project **out,
		   struct err *err)
{
	auto_free char *dir = NULL, *file = NULL, *text = NULL;
	auto_state struct state_project *s = NULL;
	size_t len;
	int r;

	if (!state_project_name_ok(project))
		return err_set(err, -EINVAL, "'%s' is not a valid project name", project);
	dir = state_project_dir(p, project);
	file = path_join(dir, "state.json");
	r = file_read(AT_FDCWD, file, STATE_SIZE_MAX, &text, &len);
	if (r == -ENOENT)
		return err_set(err, r, "no such project: %s", project);
	if (r < 0)
		return err_set(err, r, "read %s: %s", file, strerror(-r));
	r = state_decode(text, len, file, &s, err);
	if (r < 0 || !s)
		return r;
	if (!str_eq(s->name, project))
		return err_set(err, -EBADMSG, "%s: belongs to project '%s'", file, s->name);
	state_live_load(p, s);
	*out = steal(s);
	return 0;
}

int state_load(const struct state_paths *p, const char *project, struct state_project **out,
	       struct err *err)
{
	int r = state_load_all(p, project, out, err);

	if (r == 0)
		state_hide_replaced(*out);
	return r;
}

int state_save(const struct state_paths *p, struct state_project *s, struct err *err)
{
	auto_free char *dir = NULL, *file = NULL;
	auto_sbuf struct sbuf text = SBUF_INIT;
	int r = check(s, "state", err);

	if (r == 0)
		r = state_dirs_make(p, s->name, err);
	if (r < 0)
		return r;
	/* From here on the durable record is newer than every live one. */
	for (size_t i = 0; i < s->containers.n; i++)
		s->containers.v[i]->seq++;
	dir = state_project_dir(p, s->name);
	file = path_join(dir, "state.json");
	state_encode(s, &text);
	if (text.len > STATE_SIZE_MAX)
		return err_set(err, -EFBIG, "%s: more than %u MiB to write", file,
			       STATE_SIZE_MAX >> 20);
	r = file_replace(AT_FDCWD, file, text.s, text.len, 0600, true);
	return r < 0 ? err_set(err, r, "write %s: %s", file, strerror(-r)) : 0;
}

static char *live_file(const struct state_paths *p, const char *project, const char *id)
{
	auto_free char *dir = state_run_dir(p, project);

	return xasprintf("%s/c/%s", dir, id);
}

int state_live_save(const struct state_paths *p, struct state_project *s, struct state_container *c,
		    struct err *err)
{
	auto_json struct json *j = json_object();
	auto_free char *body = NULL, *file = NULL;
	auto_sbuf struct sbuf text = SBUF_INIT;
	char boot[37];
	int r = boot_id(boot);

	if (r < 0)
		return err_wrap(err, r, "read the boot id");
	if (!state_project_name_ok(s->name) || !id_ok(c->id))
		return err_set(err, -EINVAL, "'%s' is no container of a project",
			       c->id ? c->id : "");
	c->seq++;
	json_add_str(j, "boot_id", boot);
	json_add_str(j, "id", c->id);
	table_encode(&container_table, c, true, j);
	body = json_print(j);
	envelope_add(body, &text);
	file = live_file(p, s->name, c->id);
	r = file_replace(AT_FDCWD, file, text.s, text.len, 0600, false);
	if (r == -ENOENT) {
		r = state_dirs_make(p, s->name, err);
		if (r < 0)
			return r;
		r = file_replace(AT_FDCWD, file, text.s, text.len, 0600, false);
	}
	return r < 0 ? err_set(err, r, "write %s: %s", file, strerror(-r)) : 0;
}

void state_live_remove(const struct state_paths *p, const struct state_project *s,
		       const struct state_container *c)
{
	auto_free char *file = id_ok(c->id) ? live_file(p, s->name, c->id) : NULL;

	if (file)
		(void)unlink(file);
}

static void load_one(const struct state_paths *p, const char *boot, struct state_project *s,
		     struct state_container *c)
{
	auto_free char *file = live_file(p, s->name, c->id);
	struct state_container probe = { .seq = 0 };
	auto_json struct json *j = NULL;
	auto_free char *text = NULL;
	const char *body = NULL;
	size_t len = 0;

	if (file_read(AT_FDCWD, file, STATE_SIZE_MAX, &text, &len) < 0 ||
	    envelope_open(text, len, file, &body, &len, NULL) < 0 ||
	    json_parse(body, len, &j, NULL) < 0 || !str_eq(json_str(j, "boot_id", NULL), boot) ||
	    !str_eq(json_str(j, "id", NULL), c->id))
		return;
	/* All of it or nothing. */
	if (table_decode(&container_table, j, true, file, &probe, NULL) == 0 && probe.seq > c->seq)
		(void)table_decode(&container_table, j, true, file, c, NULL);
	table_clear(&container_table, &probe);
}

void state_live_load(const struct state_paths *p, struct state_project *s)
{
	char boot[37];

	if (boot_id(boot) < 0)
		return;
	for (size_t i = 0; i < s->containers.n; i++)
		load_one(p, boot, s, s->containers.v[i]);
}
