/* print.c - a tree as YAML (libyaml's emitter) and as JSON. */
#include "tree.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct print {
	yaml_emitter_t emitter;
	struct sbuf *out;
	bool dollars;
};

static int to_sbuf(void *data, unsigned char *buffer, size_t size)
{
	sbuf_add(((struct print *)data)->out, (const char *)buffer, size);
	return 1;
}

/* A string that would read back as something else is quoted. */
static bool needs_quotes(const char *s)
{
	struct yaml_node n = { .type = YAML_STR };
	auto_arena struct arena scratch = { 0 };

	scalar_resolve(&scratch, s, &n);
	if (n.type != YAML_STR || n.s != s || strcmp(s, "<<") == 0 || strcmp(s, "=") == 0)
		return true;
	/* YAML 1.1 readers take these for booleans. */
	static const char *const old[] = { "y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",
					   "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF" };

	for (size_t i = 0; i < ARRAY_LEN(old); i++)
		if (strcmp(old[i], s) == 0)
			return true;
	return false;
}

static bool emit_scalar(struct print *p, const char *s, bool is_string)
{
	yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;
	yaml_event_t ev;

	if (is_string) {
		if (needs_quotes(s))
			style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
		else if (strchr(s, '\n'))
			style = YAML_LITERAL_SCALAR_STYLE;
	}
	return yaml_scalar_event_initialize(&ev, NULL, NULL, (const yaml_char_t *)s, (int)strlen(s),
					    1, 1, style) &&
	       yaml_emitter_emit(&p->emitter, &ev);
}

static bool emit(struct print *p, const struct yaml_node *n);

static bool emit_string(struct print *p, const char *s)
{
	auto_sbuf struct sbuf b = SBUF_INIT;

	if (!p->dollars || !strchr(s, '$'))
		return emit_scalar(p, s, true);
	for (; *s; s++) {
		if (*s == '$')
			sbuf_addc(&b, '$');
		sbuf_addc(&b, *s);
	}
	return emit_scalar(p, sbuf_str(&b), true);
}

static bool emit_items(struct print *p, const struct yaml_node *n)
{
	bool map = n->type == YAML_MAP;
	yaml_event_t ev;

	if (map ? !yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE)
		: !yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1,
							YAML_ANY_SEQUENCE_STYLE))
		return false;
	if (!yaml_emitter_emit(&p->emitter, &ev))
		return false;
	for (size_t i = 0; i < n->m.n; i++) {
		if (map && !emit_scalar(p, n->m.v[i].key, true))
			return false;
		if (!emit(p, n->m.v[i].value))
			return false;
	}
	if (map ? !yaml_mapping_end_event_initialize(&ev)
		: !yaml_sequence_end_event_initialize(&ev))
		return false;
	return yaml_emitter_emit(&p->emitter, &ev);
}

static bool emit(struct print *p, const struct yaml_node *n)
{
	char number[YAML_FLOAT_LEN];

	switch (n->type) {
	case YAML_NULL:
		return emit_scalar(p, "null", false);
	case YAML_BOOL:
		return emit_scalar(p, n->b ? "true" : "false", false);
	case YAML_INT:
		snprintf(number, sizeof(number), "%" PRId64, n->i);
		return emit_scalar(p, number, false);
	case YAML_FLOAT:
		if (isinf(n->f) || isnan(n->f))
			return emit_scalar(p,
					   isnan(n->f) ? ".nan"
					   : n->f > 0  ? ".inf"
						       : "-.inf",
					   false);
		yaml_float_text(n->f, number);
		return emit_scalar(p, number, false);
	case YAML_STR:
		return emit_string(p, n->s);
	case YAML_LIST:
	case YAML_MAP:
		break;
	}
	return emit_items(p, n);
}

static bool emit_document(struct print *p, const struct yaml_node *n)
{
	yaml_event_t ev;

	return yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING) &&
	       yaml_emitter_emit(&p->emitter, &ev) &&
	       yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1) &&
	       yaml_emitter_emit(&p->emitter, &ev) && emit(p, n) &&
	       yaml_document_end_event_initialize(&ev, 1) && yaml_emitter_emit(&p->emitter, &ev) &&
	       yaml_stream_end_event_initialize(&ev) && yaml_emitter_emit(&p->emitter, &ev);
}

int yaml_print(const struct yaml_node *n, bool double_dollar, struct sbuf *out, struct err *err)
{
	struct print p = { .out = out, .dollars = double_dollar };
	int r = 0;

	if (!yaml_emitter_initialize(&p.emitter))
		return err_set(err, -ENOMEM, "print YAML: out of memory");
	yaml_emitter_set_output(&p.emitter, to_sbuf, &p);
	yaml_emitter_set_unicode(&p.emitter, 1);
	yaml_emitter_set_width(&p.emitter, -1);
	if (!emit_document(&p, n))
		r = err_set(err, -EINVAL, "print YAML: %s",
			    p.emitter.problem ? p.emitter.problem : "failed");
	yaml_emitter_delete(&p.emitter);
	return r;
}

/* Length of the valid UTF-8 sequence at s, 0 when it is none. */
static size_t utf8_len(const unsigned char *s)
{
	size_t n = *s < 0x80                 ? 1
		   : *s >= 0xf0 && *s < 0xf5 ? 4
		   : *s >= 0xe0              ? 3
		   : *s >= 0xc2              ? 2
					     : 0;

	if (*s >= 0xf5)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90)))
		return 0;
	return n;
}

static void json_string(const char *text, bool dollars, struct sbuf *out)
{
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";

	sbuf_addc(out, '"');
	for (const unsigned char *s = (const unsigned char *)text; *s;) {
		const char *e = strchr(from, *s);
		size_t n = utf8_len(s);

		if (e) {
			sbuf_addc(out, '\\');
			sbuf_addc(out, to[e - from]);
		} else if (*s < 0x20 || *s == 0x7f) {
			sbuf_addf(out, "\\u%04x", *s);
		} else if (n == 0) {
			sbuf_adds(out, "\\ufffd");
		} else {
			if (*s == '$' && dollars)
				sbuf_addc(out, '$');
			sbuf_add(out, (const char *)s, n);
		}
		s += n ? n : 1;
	}
	sbuf_addc(out, '"');
}

static void json_break(unsigned indent, unsigned level, struct sbuf *out)
{
	if (indent == 0)
		return;
	sbuf_addc(out, '\n');
	for (unsigned i = 0; i < indent * level; i++)
		sbuf_addc(out, ' ');
}

static void json_node(const struct yaml_node *n, bool dollars, unsigned indent, unsigned level,
		      struct sbuf *out)
{
	char number[YAML_FLOAT_LEN];
	bool map = n->type == YAML_MAP;

	switch (n->type) {
	case YAML_NULL:
		sbuf_adds(out, "null");
		return;
	case YAML_BOOL:
		sbuf_adds(out, n->b ? "true" : "false");
		return;
	case YAML_INT:
		sbuf_addf(out, "%" PRId64, n->i);
		return;
	case YAML_FLOAT:
		yaml_float_text(n->f, number);
		sbuf_adds(out, isinf(n->f) || isnan(n->f) ? "null" : number);
		return;
	case YAML_STR:
		json_string(n->s, dollars, out);
		return;
	case YAML_LIST:
	case YAML_MAP:
		break;
	}
	sbuf_addc(out, map ? '{' : '[');
	for (size_t i = 0; i < n->m.n; i++) {
		if (i)
			sbuf_addc(out, ',');
		json_break(indent, level + 1, out);
		if (map) {
			json_string(n->m.v[i].key, false, out);
			sbuf_adds(out, indent ? ": " : ":");
		}
		json_node(n->m.v[i].value, dollars, indent, level + 1, out);
	}
	if (n->m.n)
		json_break(indent, level, out);
	sbuf_addc(out, map ? '}' : ']');
}

void yaml_print_json(const struct yaml_node *n, bool double_dollar, unsigned indent,
		     struct sbuf *out)
{
	json_node(n, double_dollar, indent, 0, out);
	if (indent)
		sbuf_addc(out, '\n');
}
