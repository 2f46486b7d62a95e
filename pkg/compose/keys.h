/* keys.h - shapes that the files of the table share. */
#ifndef COMPOSE_KEYS_H
#define COMPOSE_KEYS_H

#include "canon.h"
#include "decode.h"

extern const struct shape s_str, s_str_set, s_strnull, s_strnum, s_bool, s_int, s_bool_keep,
	s_int_keep, s_num, s_bytes, s_bytes_str, s_duration, s_strings, s_unique, s_str_or_list,
	s_labels, s_env, s_words, s_map_any, s_path, s_str_map, s_mode, s_scalar_map, s_str_append;
extern const struct shape s_build, s_deploy, s_develop, s_gpus, s_blkio, s_hooks, s_init_steps,
	s_provider, s_credential, s_ulimits, s_hosts, s_file_refs, s_service_models, s_logging,
	s_device_list;
extern const struct shape s_ports, s_volumes, s_networks, s_depends_on, s_healthcheck;

/* Rows of the table: name, shape, what the runtime does with it, remark for the page ... */
#define KEY(key_name, key_shape, level, text) KEY_IF(key_name, (key_shape), level, text, NULL)
/* ... with a reason to refuse some values ... */
#define KEY_IF(key_name, key_shape, level, text, refuse_fn) \
	DEC_IF(key_name, (key_shape), level, text, NULL, 0, refuse_fn)
/* ... decoded into a field at an offset ... */
#define DEC(key_name, key_shape, level, text, decode_fn_, at) \
	DEC_IF(key_name, (key_shape), level, text, decode_fn_, at, NULL)
/* ... both. */
#define DEC_IF(key_name, key_shape, level, text, decode_fn_, at, refuse_fn)                    \
	{                                                                                      \
		.name = (key_name), .shape = &(key_shape), .support = (level), .note = (text), \
		.decode = (decode_fn_), .offset = (at), .refuse = (refuse_fn)                  \
	}
#define END                  \
	{                    \
		.name = NULL \
	}
/* Shapes made in place. */
#define WORDS(...)                                             \
	(const struct shape)                                   \
	{                                                      \
		.types = T_STR, .words = (const char *const[]) \
		{                                              \
			__VA_ARGS__, NULL                      \
		}                                              \
	}
#define MAP(map_keys)                              \
	(const struct shape)                       \
	{                                          \
		.types = T_MAP, .keys = (map_keys) \
	}
#define ITEMS(item_shape)                              \
	(const struct shape)                           \
	{                                              \
		.types = T_LIST, .item = &(item_shape) \
	}

#endif
