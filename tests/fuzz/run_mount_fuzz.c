/* Any text as the options of RUN --mount: what is accepted has a target that is clean and not the root,
 * or is a secret with a name. */
#include "../../pkg/build/run.h"

#include <ctrcompose/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct build_request req;
	struct dockerfile file = { .escape = '\\' };
	struct build b = { .req = &req, .file = &file };
	struct run run = { 0 };
	auto_json struct json *config = json_object();
	struct stage s = { .b = &b, .run = &run, .config = config };
	auto_free char *text = xstrndup((const char *)data, size);
	struct mount m;

	json_add_object(config, "config");
	if (mount_read(&s, text, &m, NULL) == 0) {
		auto_free char *clean = m.target ? path_clean(m.target) : NULL;

		if (m.kind >= RUN_KINDS || (m.kind == RUN_SECRET ? !m.id || !*m.id : !m.target))
			abort();
		if (m.target && (*m.target != '/' || strcmp(clean, m.target) != 0))
			abort();
		if (m.kind != RUN_SECRET && strcmp(m.target, "/") == 0)
			abort();
	}
	arena_free(&run.arena);
	return 0;
}
