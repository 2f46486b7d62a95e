/* intake.h - looking at what waits in a descriptor before taking it out; for pump.c */
#ifndef LOGS_INTAKE_H
#define LOGS_INTAKE_H

#include "private.h"

/* Buffers that all pumps of the process share: they work one after the other. */
struct intake {
	char *data;  /* LOGS_PIPE_SIZE bytes */
	char *batch; /* BATCH_MAX bytes */
	int pipe[2]; /* copies of what waits in a FIFO */
	int null_fd;
};
int intake_get(struct intake **out, struct err *err);
void intake_put(void); /* once for each intake_get() */

/* Up to LOGS_PIPE_SIZE bytes of fd into in->data. Of a FIFO they are a copy, which
 * intake_take_out() removes; *copied tells. 0: the end; -EAGAIN: nothing waits. */
ssize_t intake_look(struct intake *in, int fd, bool *copied);
void intake_take_out(struct intake *in, int fd, size_t len);

#endif
