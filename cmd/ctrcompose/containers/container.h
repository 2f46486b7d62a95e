/* container.h - what `ps`, `port`, `images` and `ls` say about a container of the record. */
#ifndef CMD_CONTAINER_H
#define CMD_CONTAINER_H

#include "cmd.h"
#include <ctrcompose/json.h>

/* "web-1": the name without the project. */
const char *container_label(const char *project, const struct state_container *c);
/* Where the log of a container lies; the caller frees both. */
void container_log(const struct state_paths *paths, const char *project,
		   const struct state_container *c, char **dir, char **name);
/* "Up 5 seconds (healthy)", "Exited (0) 3 minutes ago". */
void container_status(const struct state_container *c, uint64_t now_ns, struct sbuf *out);
/* "OOM-killed (peak 64.0M of 64M)", or NULL. */
const char *container_oom(const struct state_container *c);
/* "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp", runs of ports as "8000-8005->80-85/tcp". */
void container_ports(const struct state_container *c, struct sbuf *out);
void container_published(const struct state_container *c, struct sbuf *out); /* only those */
/* "5 minutes ago" */
void container_ago(uint64_t then_ns, uint64_t now_ns, struct sbuf *out);
/* The words that it runs, entrypoint first. image: the Config of its image, for what the service
 * leaves to it; may be NULL. True: the image says nothing about it. */
bool container_command(const struct state_container *c, const struct json *image, struct sbuf *out);
/* At most `max` characters, the last of them an ellipsis if it was cut. Caller frees. */
char *ellipsis(const char *s, size_t max);
/* The labels that Docker's tools look for, with those of the service: an object of strings. */
struct json *container_labels(const struct state_project *s, const struct state_container *c);
/* An object with the keys of `docker compose ps --format json`; image as for container_command(). */
struct json *container_row(const struct state_project *s, const struct state_container *c,
			   const struct json *image, uint64_t now_ns, bool trunc);
bool container_is_up(const struct state_container *c); /* running, paused or restarting */
/* The addresses a port is published on: one, or both of "0.0.0.0" and "::". */
struct port_ips {
	const char *v[2];
	size_t n;
};
struct port_ips port_ips(const struct state_port *p);
/* By service, then number; Docker sorts by name. */
void containers_sort(struct state_container **v, size_t n);

#endif
