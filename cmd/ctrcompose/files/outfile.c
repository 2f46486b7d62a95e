/* outfile.c - files that appear when they are whole; see outfile.h */
#include "files/outfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *outfile_name(const struct outfile *o)
{
	return o->name ? o->name : "standard output";
}

int outfile_check(const char *name, const char *command, struct err *err)
{
	if ((name && !str_eq(name, "-")) || !isatty(STDOUT_FILENO))
		return 0;
	return usage_error(err,
			   "%s: an archive is nothing for a terminal: give -o FILE, or redirect "
			   "standard output",
			   command);
}

int outfile_open(struct outfile *o, const char *name, mode_t mode, struct err *err)
{
	auto_free char *real = NULL;
	struct stat st;

	if (!name || str_eq(name, "-")) {
		o->fd = dup(STDOUT_FILENO);
		return o->fd < 0 ? err_errno(err, "standard output") : 0;
	}
	o->name = name;
	if (stat(name, &st) == 0 && !S_ISREG(st.st_mode)) {
		o->fd = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return o->fd < 0 ? err_errno(err, "%s", name) : 0;
	}
	real = realpath(name, NULL);
	o->part = xasprintf("%s.part-%d", real ? real : name, (int)getpid());
	o->fd = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (o->fd >= 0)
		return 0;
	free(steal(o->part));
	return err_errno(err, "%s", name);
}

int outfile_write(void *arg, const void *data, size_t len, struct err *err)
{
	const struct outfile *o = arg;
	int r = fd_write_all(o->fd, data, len);

	return r < 0 ? err_set(err, r, "%s: %s", outfile_name(o), strerror(-r)) : 0;
}

int outfile_done(struct outfile *o, struct err *err)
{
	auto_free char *to = NULL;

	if (!o->part)
		return 0;
	to = xstrndup(o->part, (size_t)(strrchr(o->part, '.') - o->part));
	if (rename(o->part, to) < 0)
		return err_errno(err, "%s", o->name);
	free(steal(o->part));
	return 0;
}

void outfile_close(struct outfile *o)
{
	if (o->part)
		(void)unlink(o->part);
	free(steal(o->part));
	auto_close_fn(&o->fd);
	o->fd = -1;
}
