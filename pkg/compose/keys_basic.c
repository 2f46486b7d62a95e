/* keys_basic.c - shapes that many keys share. */
#include "keys.h"

const struct shape shape_any = { .types = T_ANY, .value = &shape_any, .item = &shape_any };

const struct shape s_str = { .types = T_STR, .cast = AS_STR };
const struct shape s_str_set = { .types = T_STR, .cast = AS_STR, .zero = ZERO_NOT_JSON };
const struct shape s_strnull = { .types = T_STR | T_NULL, .cast = AS_STR };
const struct shape s_strnum = { .types = T_STR | T_NUM, .cast = AS_STR };
const struct shape s_bool_keep = { .types = T_BOOL | T_STR, .cast = AS_BOOL, .zero = ZERO_KEPT };
const struct shape s_int_keep = { .types = T_NUM | T_STR, .cast = AS_INT, .zero = ZERO_KEPT };
const struct shape s_bool = { .types = T_BOOL | T_STR, .cast = AS_BOOL };
const struct shape s_int = { .types = T_NUM | T_STR, .cast = AS_INT };
const struct shape s_num = { .types = T_NUM | T_STR, .cast = AS_FLOAT };
const struct shape s_bytes = { .types = T_NUM | T_STR, .cast = AS_BYTES };
const struct shape s_bytes_str = { .types = T_STR, .cast = AS_BYTES };
const struct shape s_duration = { .types = T_STR, .cast = AS_DURATION, .zero = ZERO_KEPT };
const struct shape s_mode = { .types = T_NUM | T_STR, .cast = AS_MODE };
const struct shape s_path = { .types = T_STR, .canon = canon_path };
const struct shape s_map_any = { .types = T_MAP, .value = &shape_any };

const struct shape s_str_append = { .types = T_LIST, .item = &s_str };
const struct shape s_strings = { .types = T_LIST, .item = &s_str, .unique = true };
/* "given twice" in one list is an error where Compose says so; across files the first stays */
const struct shape s_unique = {
	.types = T_LIST, .item = &s_str, .merge = MERGE_BY_ID, .ident = id_key
};
const struct shape s_str_or_list = { .types = T_STR | T_LIST,
				     .item = &s_str,
				     .merge = MERGE_BY_ID,
				     .ident = id_key,
				     .canon = canon_strings };

static bool not_empty(const char *name)
{
	return *name != '\0';
}

static const struct shape s_pair_value = {
	.types = T_SCALAR, .cast = AS_STR, .merge = MERGE_NULL, .check = check_finite
};
const struct shape s_labels = { .expects = "a mapping or a list of NAME=VALUE",
				.types = T_LIST | T_MAP,
				.item = &s_str,
				.value = &s_pair_value,
				.name_ok = not_empty,
				.canon = canon_pairs_empty };
const struct shape s_env = { .expects = "a mapping or a list of NAME=VALUE",
			     .types = T_LIST | T_MAP,
			     .item = &s_str,
			     .value = &s_pair_value,
			     .name_ok = not_empty,
			     .canon = canon_pairs_null };
/* driver_opts: string or number */
static const struct shape s_opt_value = { .types = T_STR | T_NUM, .cast = AS_STR };
const struct shape s_str_map = { .types = T_MAP, .value = &s_opt_value };
static const struct shape s_scalar_value = { .types = T_STR | T_NUM | T_NULL, .cast = AS_STR };
const struct shape s_scalar_map = { .types = T_MAP,
				    .value = &s_scalar_value,
				    .canon = canon_pairs_empty };

const struct shape s_words = { .expects = "a string or a list of strings",
			       .types = T_STR | T_LIST | T_NULL,
			       .item = &s_str,
			       .merge = MERGE_REPLACE,
			       .zero = ZERO_KEPT,
			       .canon = canon_words };

static const struct shape s_host_value = { .types = T_STR | T_LIST, .item = &s_str };
const struct shape s_hosts = { .expects = "a mapping or a list of HOST=ADDRESS",
			       .types = T_LIST | T_MAP,
			       .item = &s_str,
			       .value = &s_host_value,
			       .merge = MERGE_BY_ID,
			       .ident = id_text,
			       .canon = canon_hosts };

static const struct key ulimit_keys[] = {
	KEY("soft", s_int_keep, RUNS, NULL),
	KEY("hard", s_int_keep, RUNS, NULL),
	END,
};
static const char *const ulimit_required[] = { "soft", "hard", NULL };
static const struct shape s_ulimit = { .types = T_NUM | T_STR | T_MAP,
				       .cast = AS_INT,
				       .keys = ulimit_keys,
				       .required = ulimit_required,
				       .merged = merge_ulimit };
const struct shape s_ulimits = { .types = T_MAP, .value = &s_ulimit };

static const struct key file_ref_keys[] = {
	KEY("source", s_str, RUNS, NULL), KEY("target", s_str, RUNS, NULL),
	KEY("uid", s_str, RUNS, NULL),    KEY("gid", s_str, RUNS, NULL),
	KEY("mode", s_mode, RUNS, NULL),  END,
};
static const struct shape s_file_ref = { .types = T_STR | T_MAP,
					 .keys = file_ref_keys,
					 .canon = canon_file_refs };
const struct shape s_file_refs = {
	.types = T_LIST, .item = &s_file_ref, .merge = MERGE_BY_ID, .ident = id_secret
};

static const struct shape s_device_ids = {
	.types = T_LIST, .item = &s_str, .unique = true, .zero = ZERO_NOT_JSON
};
static const struct shape s_count = {
	.types = T_NUM | T_STR, .zero = ZERO_NOT_JSON, .cast = AS_INT, .canon = canon_tristate
};
const struct key request_keys[] = {
	KEY("capabilities", s_strings, RUNS, "gpu, and those of nvidia and amd"),
	KEY("count", s_count, RUNS, "all is the device `all`, a number those from 0 on"),
	KEY("device_ids", s_device_ids, RUNS, "of the driver's kind, or CDI names"),
	KEY("driver", s_str, RUNS,
	    "nvidia, amd, cdi; without: nvidia.com/gpu, else amd.com/gpu, whichever has a spec"),
	KEY("options", s_labels, IGNORED, "a CDI device has none"),
	END,
};
static const char *const request_required[] = { "capabilities", NULL };
static const struct shape s_request = {
	.types = T_MAP, .keys = request_keys, .required = request_required, .check = check_gpu
};
static const struct shape s_gpu = { .types = T_MAP, .keys = request_keys, .check = check_gpu };
const struct shape s_device_list = { .types = T_LIST, .item = &s_request };
const struct shape s_gpus = { .expects = "'all' or a list",
			      .types = T_STR | T_LIST,
			      .words = (const char *const[]){ "all", NULL },
			      .item = &s_gpu,
			      .canon = canon_gpus };
