/* Any bytes as a compose file: no crash, no endless work; what `config` prints of an accepted one is
 * accepted again and prints the same. Interpolation, scalars, short syntax and merging are all on
 * the way. */
#include <ctrcompose/compose.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(const void *text, size_t len, struct project **out, struct err *err)
{
	static const char *const environ[] = { "A=1", "EMPTY=", "TAG=x y", NULL };
	struct compose_options opt = { .environ = environ,
				       .project_name = "fuzz",
				       .project_dir = "/nonexistent",
				       .no_env_file = true };
	auto_close int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[64];
	const char *files[] = { path };

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opt.files.v = files;
	opt.files.n = 1;
	return compose_load(&opt, out, NULL, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_project struct project *first = NULL, *second = NULL;
	auto_err struct err err = ERR_INIT;
	auto_sbuf struct sbuf a = SBUF_INIT, b = SBUF_INIT;

	if (load(data, size, &first, NULL) < 0 || compose_print_yaml(first, &a, NULL) < 0)
		return 0;
	if (load(a.s, a.len, &second, &err) < 0 || compose_print_yaml(second, &b, &err) < 0) {
		(void)fprintf(stderr, "%s\nnot accepted again: %s\n", a.s, err_text(&err));
		abort();
	}
	if (strcmp(a.s, b.s) != 0) {
		(void)fprintf(stderr, "printed:\n%s\nthen:\n%s\n", a.s, b.s);
		abort();
	}
	return 0;
}
