/* outfile.h - what `-o FILE` writes to */
#ifndef CMD_OUTFILE_H
#define CMD_OUTFILE_H

#include "cmd.h"

struct outfile {
	const char *name; /* NULL: standard output; for messages: outfile_name() */
	char *part;       /* where it is written until it is whole; NULL: in place */
	int fd;
};
#define OUTFILE_INIT           \
	{                      \
		NULL, NULL, -1 \
	}

/* name NULL or "-" is standard output, which must not be a terminal when it is an archive. A file gets
 * its name in outfile_done(), whole, and the mode then, as umask leaves it; where a link leads is what is
 * replaced. What is there and no file (a FIFO, /dev/null) is written to as it is. */
int outfile_open(struct outfile *o, const char *name, mode_t mode, struct err *err);
const char *outfile_name(const struct outfile *o);
/* A sink for archives: arg is the struct outfile. */
int outfile_write(void *arg, const void *data, size_t len, struct err *err);
int outfile_done(struct outfile *o, struct err *err);
/* One that is not done is gone. */
void outfile_close(struct outfile *o);
#define auto_outfile __attribute__((cleanup(outfile_close)))

/* For archives: -o, unless standard output is no terminal. */
int outfile_check(const char *name, const char *command, struct err *err);

#endif
