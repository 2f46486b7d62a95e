/* Any bytes as a value with variables in it: no crash and no endless work, and what came out stays
 * as it is when it is printed and read again. */
#include <ctrcompose/compose.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(const struct sbuf *text, struct project **out)
{
	static const char *const environ[] = { "A=1",   "EMPTY=",          "TAG=x y", "D=$A",
					       "Q='\"", "LONG=0123456789", "U_1=${",  NULL };
	struct compose_options opt = { .environ = environ,
				       .project_name = "fuzz",
				       .project_dir = "/nonexistent",
				       .no_env_file = true };
	auto_close int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[64];
	const char *files[] = { path };

	if (fd < 0 || fd_write_all(fd, sbuf_str(text), text->len) < 0)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opt.files.v = files;
	opt.files.n = 1;
	return compose_load(&opt, out, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_project struct project *first = NULL, *second = NULL;
	auto_sbuf struct sbuf text = SBUF_INIT, printed = SBUF_INIT;
	const char *a, *b;

	sbuf_adds(&text, "services: { a: { image: i, hostname: \"");
	for (size_t i = 0; i < size; i++) {
		if (data[i] < ' ' || data[i] > '~')
			sbuf_addf(&text, "\\x%02x", data[i]);
		else if (data[i] == '"' || data[i] == '\\')
			sbuf_addf(&text, "\\%c", data[i]);
		else
			sbuf_addc(&text, (char)data[i]);
	}
	sbuf_adds(&text, "\" } }\n");
	if (load(&text, &first) < 0)
		return 0;
	if (compose_print_yaml(first, &printed, NULL) < 0 || load(&printed, &second) < 0)
		abort();
	a = first->services[0].hostname, b = second->services[0].hostname;
	if (!str_eq(a, b)) {
		(void)fprintf(stderr, "%s\n%s\n", a ? a : "(none)", b ? b : "(none)");
		abort();
	}
	return 0;
}
