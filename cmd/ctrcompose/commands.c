/* commands.c - the list of commands. */
#include "cmd.h"

/* In the order of the help. */
/* clang-format off */
const struct cmd *const cmd_all[] = {
	&cmd_attach, &cmd_build,
	&cmd_commit, &cmd_completion, &cmd_config,
	&cmd_cp, &cmd_create,
	&cmd_doctor, &cmd_down,
	&cmd_events, &cmd_exec, &cmd_export,
	&cmd_image,
	&cmd_images,
	&cmd_inspect,
	&cmd_kill,
	&cmd_logs,
	&cmd_ls,
	&cmd_network,
	&cmd_pause, &cmd_plan, &cmd_port,
	&cmd_ps, &cmd_pull, &cmd_push,
	&cmd_restart,
	&cmd_rm,
	&cmd_run,
	&cmd_scale,
	&cmd_start,
	&cmd_stats, &cmd_stop,
	&cmd_system,
	&cmd_top,
	&cmd_unpause, &cmd_up,
	&cmd_version,
	&cmd_volume, &cmd_volumes,
	&cmd_wait, &cmd_watch,
	NULL,
};
/* clang-format on */
