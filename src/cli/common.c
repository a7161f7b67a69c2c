#include "cli/cmds.h"

#include "util/alloc.h"

#include <errno.h>
#include <poll.h>

void cda_cli_set_bool(struct cda_yaml *values, const char *setting, bool value)
{
	cda_yaml_set(values, setting, cda_yaml_scalar(value ? "true" : "false"));
}

void cda_cli_set_text(struct cda_yaml *values, const char *setting, const char *text)
{
	cda_yaml_set(values, setting, cda_yaml_str(text));
}

static void add_common(const struct cda_common *common, struct cda_yaml *values)
{
	static const char *const priorities[] = {"flexible", "strict", "disabled"};

	if (common->json)
		cda_cli_set_bool(values, "json", true);
	if (common->quiet)
		cda_cli_set_bool(values, "quiet", true);
	if (common->yes)
		cda_cli_set_bool(values, "always_yes", true);
	if (common->offline)
		cda_cli_set_bool(values, "offline", true);
	if (common->use_local)
		cda_cli_set_bool(values, "use_local", true);
	if (common->insecure)
		cda_cli_set_bool(values, "ssl_verify", false);
	if (common->subdir)
		cda_cli_set_text(values, "subdir", common->subdir);
	if (common->channel_priority > 0)
		cda_cli_set_text(values, "channel_priority",
				 priorities[common->channel_priority - 1]);
}

static int make_context(struct cda_cli *cli, const struct cda_yaml *values, bool no_files,
			struct cda_context **ret_ctx, struct cda_err *err)
{
	struct cda_common *common = cli->common;
	const struct cda_settings *settings;
	int rc;
	CDA_AUTOYAML struct cda_yaml *all =
		values ? cda_yaml_copy(values) : cda_yaml_new(CDA_YAML_MAP);
	struct cda_client_options options = {.name = common->name,
					     .prefix = common->prefix,
					     .channels = &common->channels,
					     .override_channels = common->override_channels,
					     .values = all,
					     .use_index_cache = common->use_index_cache,
					     .no_files = no_files,
					     .events = cda_out_events(cli->out)};

	add_common(common, all);
	rc = cda_context_new(&options, ret_ctx, err);
	if (rc < 0)
		return rc;
	/* CONDA_JSON, CONDA_QUIET, CONDA_DRY_RUN and .condarc count as the options do. */
	settings = (*ret_ctx)->settings;
	common->dry_run = common->dry_run || cda_settings_bool(settings, CDA_SET_dry_run);
	common->json = cda_settings_bool(settings, CDA_SET_json);
	common->quiet = cda_settings_bool(settings, CDA_SET_quiet);
	cda_out_settings(cli->out, common->json, common->quiet);
	return 0;
}

int cda_cli_context(struct cda_cli *cli, const struct cda_yaml *values,
		    struct cda_context **ret_ctx, struct cda_err *err)
{
	return make_context(cli, values, false, ret_ctx, err);
}

int cda_cli_context_without_files(struct cda_cli *cli, struct cda_context **ret_ctx,
				  struct cda_err *err)
{
	return make_context(cli, NULL, true, ret_ctx, err);
}

/* One line of stdin, at most cap-1 bytes; false at its end or on a signal. */
static bool read_line(char *line, size_t cap)
{
	size_t len = 0;

	line[0] = '\0';
	for (;;) {
		char c;
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR && !cda_interrupted)
			continue;
		if (n <= 0)
			return false;
		if (c == '\n')
			break;
		if (len + 1 < cap)
			line[len++] = cda_lower(c);
	}
	line[len] = '\0';
	return true;
}

static int confirm(struct cda_cli *cli, const struct cda_context *ctx, bool or_yes,
		   struct cda_err *err)
{
	char line[64];

	if (cda_out_is_json(cli->out) || cda_settings_bool(ctx->settings, CDA_SET_always_yes))
		return 0;
	for (;;) {
		struct cda_str answer;

		cda_out_puts(cli->out, or_yes ? "Proceed ([y]/n)? " : "Proceed (y/[n])? ");
		fflush(stdout);
		/* The end of the input is the default answer, as in conda: builds have no stdin. */
		if (!read_line(line, sizeof(line)))
			cda_out_puts(cli->out, "\n");
		if (cda_interrupted)
			return cda_err_set(err, CDA_E_INTERRUPTED, "interrupted");
		answer = cda_str_trim(cda_str(line));
		if (answer.len == 0)
			answer = or_yes ? CDA_STR("y") : CDA_STR("n");
		if (cda_str_eq(answer, CDA_STR("y")) || cda_str_eq(answer, CDA_STR("yes")))
			return 0;
		if (cda_str_eq(answer, CDA_STR("n")) || cda_str_eq(answer, CDA_STR("no")))
			return cda_err_set(err, CDA_E_CANCELLED, "Exiting.");
		cda_out_puts(cli->out, "Invalid choice: answer y or n\n");
	}
}

int cda_cli_confirm(struct cda_cli *cli, const struct cda_context *ctx, struct cda_err *err)
{
	return confirm(cli, ctx, true, err);
}

int cda_cli_confirm_danger(struct cda_cli *cli, const struct cda_context *ctx, struct cda_err *err)
{
	return confirm(cli, ctx, false, err);
}
