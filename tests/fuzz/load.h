/* load.h - a compose file from memory, as the fuzz targets of the loader have it. */
#ifndef FUZZ_LOAD_H
#define FUZZ_LOAD_H

#include <ctrcompose/compose.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static inline int fuzz_load(const void *text, size_t len, const char *const *environ,
			    struct project **out, struct err *err)
{
	struct compose_options opt = { .environ = environ,
				       .project_name = "fuzz",
				       .project_dir = "/nonexistent",
				       .no_env_file = true };
	auto_close int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[64];
	const char *files[] = { path };

	if (fd < 0 || fd_write_all(fd, text, len) < 0)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opt.files.v = files;
	opt.files.n = 1;
	return compose_load(&opt, out, NULL, err);
}

/* Any bytes between double quotes of YAML. */
static inline void fuzz_quote(const uint8_t *data, size_t size, struct sbuf *out)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] < ' ' || data[i] > '~')
			sbuf_addf(out, "\\x%02x", data[i]);
		else if (data[i] == '"' || data[i] == '\\')
			sbuf_addf(out, "\\%c", data[i]);
		else
			sbuf_addc(out, (char)data[i]);
	}
}

#endif
