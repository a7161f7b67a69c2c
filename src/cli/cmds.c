#include "cli/cmds.h"

extern const struct cda_cmd cda_cmd_clean, cda_cmd_compare, cda_cmd_config, cda_cmd_create,
	cda_cmd_doctor, cda_cmd_env, cda_cmd_export, cda_cmd_info, cda_cmd_init, cda_cmd_install,
	cda_cmd_list, cda_cmd_remove, cda_cmd_rename, cda_cmd_run, cda_cmd_search, cda_cmd_update;

const struct cda_cmd *const cda_cmds[] = {&cda_cmd_create,
					  &cda_cmd_install,
					  &cda_cmd_update,
					  &cda_cmd_remove,
					  &cda_cmd_rename,
					  &cda_cmd_list,
					  &cda_cmd_search,
					  &cda_cmd_info,
					  &cda_cmd_compare,
					  &cda_cmd_doctor,
					  &cda_cmd_config,
					  &cda_cmd_clean,
					  &cda_cmd_env,
					  &cda_cmd_export,
					  &cda_cmd_run,
					  &cda_cmd_init,
					  NULL};
