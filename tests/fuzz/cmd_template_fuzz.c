/* Any text as a template of --format, over rows as inspect has them: printed or refused with a sentence,
 * and the same each time. */
#include "screen/screen.h"

#include <ctrcompose/json.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
		"[{\"Name\":\"a\",\"Id\":\"1\",\"State\":{\"Pid\":7,\"Running\":true},\"Env\":[\"A=1\",\"B\"],"
		"\"Labels\":{\"k\":\"v\"},\"Nets\":{\"x\":{\"IP\":\"10.0.0.2\"},\"y\":{}},\"None\":null},{}]";
	auto_free char *format = xstrndup((const char *)data, size);
	auto_json struct json *rows = NULL;
	auto_sbuf struct sbuf a = SBUF_INIT, b = SBUF_INIT;
	auto_err struct err err = ERR_INIT;
	int r;

	if (json_parse(text, sizeof(text) - 1, &rows, NULL) < 0)
		abort();
	r = template_print(format, rows, NULL, &a, &err);
	if (r < 0 && !*err_text(&err))
		abort();
	if (template_print(format, rows, NULL, &b, NULL) != r ||
	    (r == 0 && strcmp(sbuf_str(&a), sbuf_str(&b)) != 0))
		abort();
	return 0;
}
