/* support.h - what `up` refuses, by place: support.c and requests.c. */
#ifndef COMPOSE_SUPPORT_H
#define COMPOSE_SUPPORT_H

#include "loader.h"

struct unsupported {
	struct sbuf text; /* a line each */
	size_t n;
};
void support_refuse(struct unsupported *u, const struct yaml_node *n, const char *name,
		    const char *why);

/* Requests for devices that mean nothing anywhere, and those that this machine does not have. */
void support_check_requests(struct unsupported *u, const struct project *p);
void support_check_devices(struct unsupported *u, const struct project *p,
			   const struct compose_host *host);

#endif
