/* image_row.c - see image_row.h */
#include "images/image_row.h"
#include "containers/container.h"
#include "containers/observe.h"
#include "screen/screen.h"

#include <ctrcompose/json.h>
#include <stdlib.h>
#include <string.h>

const struct template_header image_headers[] = {
	{ "ContainerName", "CONTAINER" },
	{ "ID", "IMAGE ID" },
	{ "CreatedSince", "CREATED" },
	{ NULL, NULL },
};

char *image_split(const char *ref, const char **tag)
{
	const char *slash = strrchr(ref, '/'), *colon = strrchr(ref, ':');
	size_t len = strcspn(ref, "@");

	*tag = "";
	if (ref[len] == '@' || !colon || (slash && colon < slash))
		return xstrndup(ref, len);
	*tag = colon + 1;
	return xstrndup(ref, (size_t)(colon - ref));
}

static void add(struct json *row, const char *key, const char *text)
{
	json_add_str(row, key, text[0] ? text : "<none>");
}

void image_row(struct json *row, const struct image_cells *c)
{
	auto_sbuf struct sbuf ago = SBUF_INIT;
	auto_free char *id =
		xasprintf("%s%.*s", c->no_trunc ? "sha256:" : "", c->no_trunc ? 64 : 12, c->id);
	auto_free char *repository = NULL;
	uint64_t now = now_real_ns(), then;
	const char *tag;
	char size[24];

	repository = image_split(c->ref ? c->ref : "", &tag);
	human_size((double)c->size, 3, size);
	if (parse_when(c->created, now, &then) == 0)
		container_ago(then, now, &ago);
	json_add_str(row, "ID", id);
	add(row, "Repository", repository);
	add(row, "Tag", tag);
	json_add_str(row, "Size", size);
	json_add_str(row, "CreatedAt", c->created);
	json_add_str(row, "CreatedSince", ago.len ? sbuf_str(&ago) : "N/A");
}
