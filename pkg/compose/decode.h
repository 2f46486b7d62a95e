/* decode.h - from canonical values to the fields of model.h; the table of keys refers to these. */
#ifndef COMPOSE_DECODE_H
#define COMPOSE_DECODE_H

#include "loader.h"

/* the field has the type in brackets */
/* driver_opts of a network of a service */
#define ENDPOINT_IFNAME  "com.docker.network.endpoint.ifname"
#define ENDPOINT_SYSCTLS "com.docker.network.endpoint.sysctls"

decode_fn dec_str;                     /* const char * */
decode_fn dec_bool;                    /* bool */
decode_fn dec_list;                    /* struct list */
decode_fn dec_kvs;                     /* struct kvs */
decode_fn dec_words;                   /* struct words */
decode_fn dec_bytes;                   /* uint64_t */
decode_fn dec_sbytes;                  /* int64_t */
decode_fn dec_u64;                     /* uint64_t */
decode_fn dec_i64;                     /* int64_t */
decode_fn dec_int;                     /* int */
decode_fn dec_unsigned;                /* unsigned */
decode_fn dec_cpus;                    /* uint64_t, billionths */
decode_fn dec_duration_us;             /* uint64_t */
decode_fn dec_rt_us;                   /* uint64_t: microseconds, or a duration */
decode_fn dec_signal;                  /* int */
decode_fn dec_hosts;                   /* struct kvs */
decode_fn dec_hooks;                   /* struct service_hooks */
decode_fn dec_health, dec_health_test; /* struct healthcheck */
/* the whole struct service */
decode_fn dec_restart, dec_deps, dec_mounts, dec_tmpfs, dec_ports, dec_networks, dec_security,
	dec_deploy, dec_limits, dec_restart_policy, dec_policy_condition, dec_policy_attempts;
decode_fn dec_blkio, dec_resources, dec_reservations;
decode_fn dec_gpus, dec_reserved;
decode_fn dec_ulimits, dec_devices, dec_secrets, dec_configs, dec_logging, dec_storage;
/* the whole struct network */
decode_fn dec_ipam;

/* Requests for devices, as they stand under devices, gpus and reservations. */
enum request_form { REQUEST_NAME, REQUEST_GPU, REQUEST_RESERVED };
void requests_add(struct decode *d, const struct yaml_node *list, enum request_form form,
		  struct service *s);
/* The CDI name that an entry of devices is, or NULL. */
const char *device_cdi_name(const struct yaml_node *n);

/* Write into a service's secrets, configs and security_opt where their bytes come from. */
void decode_resolve_files(struct decode *d, struct yaml_node *service);
/* "host" or "none" where the network of this key is external and called so, else NULL. */
const char *decode_builtin_network(const struct yaml_node *tree, const char *key);
/* Rewrite what stands for something else: a volume whose driver options make it a bind, the network
 * mode "bridge", which is the project's default network, and the external networks "host" and "none",
 * which are modes. */
void decode_resolve_places(struct decode *d, struct yaml_node *service);
/* The service with its program changed to that of a step of pre_start. */
struct yaml_node *decode_step_service(struct decode *d, const struct yaml_node *service,
				      const struct yaml_node *step);
/* Whether the option `o` of a volume makes it a bind. */
bool volume_is_bind(const char *o);
void decode_keys(struct decode *d, const struct key *keys, const struct yaml_node *map, void *out);

#endif
