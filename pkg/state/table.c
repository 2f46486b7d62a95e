/* table.c - the structs of state.h row by row, and what reads the rows; see internal.h */
#include "internal.h"

#include <ctrcompose/json.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	K_STR,
	K_STRS,
	K_BOOL,
	K_INT,
	K_UINT,
	K_PID,
	K_U16,
	K_U32,
	K_U64, /* in the file as a string: a JSON number holds 53 bits */
	K_STATUS,
	K_HEALTH,
	K_LIST,     /* of structs */
	K_POINTERS, /* to structs */
};

enum { REQUIRED = 1, LIVE = 2 };

struct field {
	const char *key;
	size_t offset;
	enum kind kind;
	unsigned flags;
	const struct table *of; /* lists */
	int64_t max;            /* numbers; 0: as the type allows */
};

struct table {
	const struct field *fields;
	size_t n;
	size_t size;
};

#define TABLE(of_fields, type)                                                          \
	{                                                                               \
		.fields = (of_fields), .n = ARRAY_LEN(of_fields), .size = sizeof(type), \
	}
#define AT(type, member) #member, offsetof(struct type, member)

static const struct field endpoint_fields[] = {
	{ AT(state_endpoint, network), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_endpoint, ip), K_STR, 0, NULL, 0 },
	{ AT(state_endpoint, ip6), K_STR, 0, NULL, 0 },
	{ AT(state_endpoint, mac), K_STR, 0, NULL, 0 },
	{ AT(state_endpoint, host_if), K_STR, 0, NULL, 0 },
	{ AT(state_endpoint, ifname), K_STR, 0, NULL, 0 },
	{ AT(state_endpoint, way_out), K_BOOL, 0, NULL, 0 },
	{ AT(state_endpoint, aliases), K_STRS, 0, NULL, 0 },
};
const struct table endpoint_table = TABLE(endpoint_fields, struct state_endpoint);

static const struct field port_fields[] = {
	{ AT(state_port, host_ip), K_STR, 0, NULL, 0 },
	{ AT(state_port, published), K_U16, 0, NULL, 0 },
	{ AT(state_port, target), K_U16, REQUIRED, NULL, 0 },
	{ AT(state_port, proto), K_STR, REQUIRED, NULL, 0 },
};
const struct table port_table = TABLE(port_fields, struct state_port);

static const struct field mount_fields[] = {
	{ AT(state_mount, kind), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_mount, source), K_STR, 0, NULL, 0 },
	{ AT(state_mount, target), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_mount, volume), K_STR, 0, NULL, 0 },
	{ AT(state_mount, read_only), K_BOOL, 0, NULL, 0 },
	{ AT(state_mount, anonymous), K_BOOL, 0, NULL, 0 },
};
const struct table mount_table = TABLE(mount_fields, struct state_mount);

static const struct field network_fields[] = {
	{ AT(state_network, key), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_network, name), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_network, driver), K_STR, 0, NULL, 0 },
	{ AT(state_network, bridge), K_STR, 0, NULL, 0 },
	{ AT(state_network, parent), K_STR, 0, NULL, 0 },
	{ AT(state_network, mode), K_STR, 0, NULL, 0 },
	{ AT(state_network, subnet), K_STR, 0, NULL, 0 },
	{ AT(state_network, gateway), K_STR, 0, NULL, 0 },
	{ AT(state_network, ip_range), K_STR, 0, NULL, 0 },
	{ AT(state_network, reserved), K_STRS, 0, NULL, 0 },
	{ AT(state_network, labels), K_STRS, 0, NULL, 0 },
	{ AT(state_network, subnet6), K_STR, 0, NULL, 0 },
	{ AT(state_network, gateway6), K_STR, 0, NULL, 0 },
	{ AT(state_network, mtu), K_UINT, 0, NULL, 65535 },
	{ AT(state_network, internal), K_BOOL, 0, NULL, 0 },
	{ AT(state_network, external), K_BOOL, 0, NULL, 0 },
	{ AT(state_network, config_hash), K_STR, 0, NULL, 0 },
};
const struct table network_table = TABLE(network_fields, struct state_network);

/* Its network is an object beside these. */
static const struct field shared_fields[] = {
	{ AT(state_shared, project), K_STR, 0, NULL, 0 },
	{ AT(state_shared, owned), K_BOOL, 0, NULL, 0 },
	{ AT(state_shared, users), K_STRS, 0, NULL, 0 },
	{ AT(state_shared, created_ns), K_U64, 0, NULL, 0 },
};
const struct table shared_table = TABLE(shared_fields, struct state_shared);

#define PID_LIMIT (1 << 22)

static const struct field container_fields[] = {
	{ AT(state_container, id), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_container, name), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_container, service), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_container, number), K_UINT, 0, NULL, 0 },
	{ AT(state_container, oneoff), K_BOOL, 0, NULL, 0 },
	{ AT(state_container, image), K_STR, 0, NULL, 0 },
	{ AT(state_container, image_id), K_STR, 0, NULL, 0 },
	{ AT(state_container, config_hash), K_STR, 0, NULL, 0 },
	{ AT(state_container, config_json), K_STR, 0, NULL, 0 },
	{ AT(state_container, created_ns), K_U64, 0, NULL, 0 },
	{ AT(state_container, started_ns), K_U64, LIVE, NULL, 0 },
	{ AT(state_container, finished_ns), K_U64, LIVE, NULL, 0 },
	{ AT(state_container, status), K_STATUS, REQUIRED | LIVE, NULL, 0 },
	{ AT(state_container, pid), K_PID, LIVE, NULL, PID_LIMIT },
	{ AT(state_container, start_time), K_U64, LIVE, NULL, 0 },
	{ AT(state_container, exit_code), K_INT, LIVE, NULL, 255 },
	{ AT(state_container, oom_killed), K_BOOL, LIVE, NULL, 0 },
	{ AT(state_container, error), K_STR, LIVE, NULL, 0 },
	{ AT(state_container, restarts), K_UINT, LIVE, NULL, 0 },
	{ AT(state_container, want_running), K_BOOL, LIVE, NULL, 0 },
	{ AT(state_container, halted), K_BOOL, 0, NULL, 0 },
	{ AT(state_container, replaces), K_STR, 0, NULL, 0 },
	{ AT(state_container, resume), K_BOOL, LIVE, NULL, 0 },
	{ AT(state_container, health), K_HEALTH, LIVE, NULL, 0 },
	{ AT(state_container, process_label), K_STR, LIVE, NULL, 0 },
	{ AT(state_container, mount_label), K_STR, LIVE, NULL, 0 },
	{ AT(state_container, health_log), K_STR, LIVE, NULL, 0 },
	{ AT(state_container, seq), K_U64, REQUIRED | LIVE, NULL, 0 },
	{ AT(state_container, endpoints), K_LIST, 0, &endpoint_table, 0 },
	{ AT(state_container, ports), K_LIST, 0, &port_table, 0 },
	{ AT(state_container, mounts), K_LIST, 0, &mount_table, 0 },
};
const struct table container_table = TABLE(container_fields, struct state_container);

static const struct field project_fields[] = {
	{ AT(state_project, name), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_project, working_dir), K_STR, 0, NULL, 0 },
	{ AT(state_project, config_files), K_STRS, 0, NULL, 0 },
	{ AT(state_project, boot_id), K_STR, REQUIRED, NULL, 0 },
	{ AT(state_project, uid_base), K_U32, 0, NULL, 0 },
	{ AT(state_project, networks), K_LIST, 0, &network_table, 0 },
	{ AT(state_project, volumes), K_STRS, 0, NULL, 0 },
	{ AT(state_project, containers), K_POINTERS, 0, &container_table, 0 },
};
const struct table project_table = TABLE(project_fields, struct state_project);

static const char *const status_names[STATE_STATUSES] = {
	[STATE_CREATED] = "created",       [STATE_RUNNING] = "running", [STATE_PAUSED] = "paused",
	[STATE_RESTARTING] = "restarting", [STATE_EXITED] = "exited",   [STATE_DEAD] = "dead",
	[STATE_REMOVING] = "removing",
};

static const char *const health_names[STATE_HEALTHS] = {
	[STATE_HEALTH_NONE] = "none",
	[STATE_HEALTH_STARTING] = "starting",
	[STATE_HEALTHY] = "healthy",
	[STATE_UNHEALTHY] = "unhealthy",
};

const char *state_status_name(enum state_status s)
{
	return s < STATE_STATUSES ? status_names[s] : "unknown";
}

const char *state_health_name(enum state_health h)
{
	return h < STATE_HEALTHS ? health_names[h] : "unknown";
}

/* All vectors look the same but for the type of v; copied in and out to keep the types honest. */
struct any_vec {
	void *v;
	size_t n, cap;
};

static struct any_vec vec_get(const void *p)
{
	struct any_vec v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* ---- Encoding ---- */

static void encode_list(const struct field *f, const void *p, struct json *out)
{
	struct json *array = json_add_array(out, f->key);
	struct any_vec vec = vec_get(p);

	for (size_t i = 0; i < vec.n; i++) {
		const void *e = f->kind == K_POINTERS ? ((void *const *)vec.v)[i]
						      : (const char *)vec.v + i * f->of->size;

		table_encode(f->of, e, false, json_add_object(array, NULL));
	}
}

static void encode_field(const struct field *f, const void *p, struct json *out)
{
	switch (f->kind) {
	case K_STR:
		if (*(char *const *)p)
			json_add_str(out, f->key, *(char *const *)p);
		break;
	case K_STRS: {
		const struct strs *l = p;
		struct json *array = json_add_array(out, f->key);

		for (size_t i = 0; i < l->n; i++)
			json_add_str(array, NULL, l->v[i]);
		break;
	}
	case K_BOOL:
		json_add_bool(out, f->key, *(const bool *)p);
		break;
	case K_INT:
	case K_PID:
		json_add_int(out, f->key, *(const int *)p);
		break;
	case K_UINT:
	case K_U32:
		json_add_int(out, f->key, *(const uint32_t *)p);
		break;
	case K_U16:
		json_add_int(out, f->key, *(const uint16_t *)p);
		break;
	case K_U64: {
		auto_free char *digits =
			xasprintf("%llu", (unsigned long long)*(const uint64_t *)p);

		json_add_str(out, f->key, digits);
		break;
	}
	case K_STATUS:
		json_add_str(out, f->key, state_status_name(*(const enum state_status *)p));
		break;
	case K_HEALTH:
		json_add_str(out, f->key, state_health_name(*(const enum state_health *)p));
		break;
	case K_LIST:
	case K_POINTERS:
		encode_list(f, p, out);
		break;
	}
}

void table_encode(const struct table *t, const void *base, bool live_only, struct json *out)
{
	for (size_t i = 0; i < t->n; i++)
		if (!live_only || t->fields[i].flags & LIVE)
			encode_field(&t->fields[i], (const char *)base + t->fields[i].offset, out);
}

/* ---- Decoding ---- */

static int bad(struct err *err, const char *where, const char *key, const char *what)
{
	return err_set(err, -EBADMSG, "%s: %s is %s", where, key, what);
}

static int decode_list(const struct field *f, const struct json *j, const char *where, void *p,
		       struct err *err)
{
	struct any_vec vec = { NULL, 0, 0 };
	size_t i = 0;
	int r = 0;

	if (json_kind(j) != JSON_ARRAY)
		return bad(err, where, f->key, "no list");
	table_clear(&(struct table){ f, 1, 0 }, (char *)p - f->offset);
	vec.cap = json_count(j);
	if (vec.cap == 0)
		return 0;
	vec.v = xcalloc(vec.cap, f->kind == K_POINTERS ? sizeof(void *) : f->of->size);
	for (const struct json *c = json_first(j); c && r == 0; c = json_next(c), i++) {
		auto_free char *at = xasprintf("%s: %s[%zu]", where, f->key, i);
		void *e = (char *)vec.v + i * f->of->size;

		if (f->kind == K_POINTERS) {
			e = xcalloc(1, f->of->size);
			((void **)vec.v)[i] = e;
		}
		vec.n++;
		r = table_decode(f->of, c, false, at, e, err);
	}
	memcpy(p, &vec, sizeof(vec)); /* also half of it: the caller clears */
	return r;
}

static int decode_strs(const struct field *f, const struct json *j, const char *where,
		       struct strs *out, struct err *err)
{
	if (json_kind(j) != JSON_ARRAY)
		return bad(err, where, f->key, "no list");
	strs_clear(out);
	for (const struct json *c = json_first(j); c; c = json_next(c)) {
		if (!json_string(c))
			return bad(err, where, f->key, "no list of strings");
		strs_add(out, json_string(c));
	}
	return 0;
}

static int decode_number(const struct field *f, const struct json *j, int64_t max,
			 const char *where, int64_t *out, struct err *err)
{
	if (f->max)
		max = f->max;
	*out = json_integer(j, -1);
	return *out < 0 || *out > max ? bad(err, where, f->key, "no number in its range") : 0;
}

static int decode_name(const struct field *f, const struct json *j, const char *const *names,
		       size_t n, const char *where, size_t *out, struct err *err)
{
	for (*out = 0; *out < n; (*out)++)
		if (str_eq(json_string(j), names[*out]))
			return 0;
	return bad(err, where, f->key, "none of its words");
}

static int decode_field(const struct field *f, const struct json *j, const char *where, void *p,
			struct err *err)
{
	int64_t number = 0;
	size_t name = 0;
	int r = 0;

	switch (f->kind) {
	case K_STR:
		if (!json_string(j))
			return bad(err, where, f->key, "no string");
		state_set(p, json_string(j));
		break;
	case K_STRS:
		return decode_strs(f, j, where, p, err);
	case K_BOOL:
		if (json_kind(j) != JSON_BOOL)
			return bad(err, where, f->key, "neither true nor false");
		break;
	case K_INT:
	case K_PID:
		r = decode_number(f, j, INT32_MAX, where, &number, err);
		if (r == 0)
			*(int *)p = (int)number;
		break;
	case K_UINT:
	case K_U32:
		r = decode_number(f, j, UINT32_MAX, where, &number, err);
		if (r == 0)
			*(uint32_t *)p = (uint32_t)number;
		break;
	case K_U16:
		r = decode_number(f, j, UINT16_MAX, where, &number, err);
		if (r == 0)
			*(uint16_t *)p = (uint16_t)number;
		break;
	case K_U64:
		if (!json_string(j) || parse_u64(json_string(j), p) < 0)
			return bad(err, where, f->key, "no number");
		break;
	case K_STATUS:
		r = decode_name(f, j, status_names, STATE_STATUSES, where, &name, err);
		if (r == 0)
			*(enum state_status *)p = (enum state_status)name;
		break;
	case K_HEALTH:
		r = decode_name(f, j, health_names, STATE_HEALTHS, where, &name, err);
		if (r == 0)
			*(enum state_health *)p = (enum state_health)name;
		break;
	case K_LIST:
	case K_POINTERS:
		return decode_list(f, j, where, p, err);
	}
	return r;
}

int table_decode(const struct table *t, const struct json *j, bool live_only, const char *where,
		 void *base, struct err *err)
{
	if (json_kind(j) != JSON_OBJECT)
		return err_set(err, -EBADMSG, "%s: no object", where);
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];
		const struct json *value = json_get(j, f->key);
		void *p = (char *)base + f->offset;
		int r;

		if (live_only && !(f->flags & LIVE))
			continue;
		if (!value && f->flags & REQUIRED)
			return bad(err, where, f->key, "missing");
		if (!value) {
			/* A live record without a text means that there is none any more. */
			if (live_only && f->kind == K_STR)
				state_set(p, NULL);
			continue;
		}
		r = decode_field(f, value, where, p, err);
		if (r < 0)
			return r;
		if (f->kind == K_BOOL)
			*(bool *)p = json_bool(j, f->key, false);
	}
	return 0;
}

/* ---- Freeing ---- */

void table_clear(const struct table *t, void *base)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];
		void *p = (char *)base + f->offset;
		struct any_vec vec;

		if (f->kind == K_STR)
			state_set(p, NULL);
		if (f->kind == K_STRS)
			strs_clear(p);
		if (f->kind != K_LIST && f->kind != K_POINTERS)
			continue;
		vec = vec_get(p);
		for (size_t k = 0; k < vec.n; k++) {
			void *e = f->kind == K_POINTERS ? ((void **)vec.v)[k]
							: (char *)vec.v + k * f->of->size;

			table_clear(f->of, e);
			if (f->kind == K_POINTERS)
				free(e);
		}
		free(vec.v);
		memset(p, 0, sizeof(vec));
	}
}
