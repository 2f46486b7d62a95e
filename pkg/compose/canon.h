/* canon.h - short to long syntax, identities and checks that the table of keys refers to. */
#ifndef COMPOSE_CANON_H
#define COMPOSE_CANON_H

#include "loader.h"

typedef struct yaml_node *canon_fn(struct load *l, const struct at *at, struct yaml_node *n);
/* general */
canon_fn canon_strings;      /* "a" -> ["a"] */
canon_fn canon_pairs_null;   /* ["K=V", "K"] -> {K: V, K: null}; values become strings */
canon_fn canon_pairs_empty;  /* the same, but nothing becomes "" */
canon_fn canon_words;        /* command line -> list */
canon_fn canon_path;         /* absolute */
canon_fn canon_path_or_name; /* absolute if it looks like a path */
/* services */
canon_fn canon_health_test, canon_depends_on, canon_name_set, canon_env_files, canon_file_refs,
	canon_hosts, canon_build, canon_context, canon_contexts, canon_device, canon_gpus,
	canon_ssh, canon_extends, canon_logging_options, canon_resource, canon_label_files,
	canon_provider, canon_watch_path, canon_pull_policy, canon_tristate;
canon_fn canon_ports, canon_volumes;

typedef const char *ident_fn(struct arena *a, const struct yaml_node *item);
ident_fn id_text, id_key, id_port, id_target, id_secret, id_config, id_env_file, id_subnet;

typedef const char *check_fn(struct load *l, const struct yaml_node *n);
check_fn check_duration, check_ip, check_external, check_secret, check_config, check_gpu,
	check_pull_policy, check_test, check_name2, check_volume_mode, check_finite,
	check_ports_item, check_hosts_value, check_oom_score, check_tmpfs_size;

typedef struct yaml_node *merge_fn(struct load *l, const struct at *at, struct yaml_node *left,
				   struct yaml_node *right);
merge_fn merge_logging, merge_ulimit;

#endif
