#include "prefix/script.h"

#include "util/fs.h"
#include "util/proc.h"

#include <errno.h>

enum { message_max = 1024 * 1024 };

static const char *const names[] = {
	[CDA_SCRIPT_PRE_LINK] = "pre-link",
	[CDA_SCRIPT_POST_LINK] = "post-link",
	[CDA_SCRIPT_PRE_UNLINK] = "pre-unlink",
};

extern char **environ;

static void make_env(enum cda_script action, const char *dir, const char *prefix,
		     const char *root_prefix, const struct cda_record *record,
		     const char *const *given, struct cda_strv *env)
{
	const char *const *base = given ? given : (const char *const *)environ;
	const char *path;
	CDA_AUTOFREE char *number = cda_asprintf("%jd", (intmax_t)record->build_number);
	CDA_AUTOFREE char *paths = NULL;

	for (; base && *base; base++)
		cda_strv_push(env, *base);
	path = cda_env_get(env, "PATH");
	paths = cda_asprintf("%s/bin:%s", dir, path && *path ? path : "/usr/bin:/bin");
	cda_env_set(env, "PATH", paths);
	cda_env_set(env, "PREFIX", prefix);
	cda_env_set(env, "ROOT_PREFIX", root_prefix);
	cda_env_set(env, "PKG_NAME", record->name);
	cda_env_set(env, "PKG_VERSION", record->version);
	cda_env_set(env, "PKG_BUILDNUM", number);
	cda_env_set(env, "SOURCE_DIR", action == CDA_SCRIPT_PRE_LINK ? dir : NULL);
	/* post-link scripts run as in the active environment. */
	if (action == CDA_SCRIPT_POST_LINK)
		cda_env_set(env, "CONDA_PREFIX", prefix);
}

/* What the script wants said; the file goes. */
static void show_messages(const char *prefix, const struct cda_events *events, struct cda_buf *ret)
{
	CDA_AUTOFREE char *path = cda_path_join(prefix, ".messages.txt");
	struct cda_err err = {0};

	if (!cda_fs_exists(AT_FDCWD, path))
		return;
	if (cda_fs_read(AT_FDCWD, path, message_max, ret, &err) < 0)
		cda_err_done(&err);
	else if (ret->len > 0)
		cda_emit(events, CDA_EVENT_OUTPUT, "%s", ret->p);
	unlink(path);
}

static const char *shell(void)
{
	static const char *const shells[] = {"/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"};

	for (size_t i = 0; i < CDA_LEN(shells); i++)
		if (access(shells[i], X_OK) == 0)
			return shells[i];
	return "/bin/sh";
}

static void trim_end(struct cda_buf *text)
{
	while (text->len > 0 && cda_is_space(text->p[text->len - 1]))
		cda_buf_cut(text, text->len - 1);
}

int cda_script_run(enum cda_script action, const char *dir, const char *prefix,
		   const char *root_prefix, const struct cda_record *record, const char *const *env,
		   const struct cda_events *events, struct cda_err *err)
{
	CDA_AUTOFREE char *bin = cda_path_join(dir, "bin");
	CDA_AUTOFREE char *path = cda_asprintf("%s/.%s-%s.sh", bin, record->name, names[action]);
	const char *argv[] = {shell(), path, NULL};
	CDA_AUTOSTRV struct cda_strv vars = {0};
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT, messages = CDA_BUF_INIT;
	struct cda_proc proc = {.argv = argv, .cwd = bin, .out = &out, .errout = &out};
	int rc, status = 0;

	if (!cda_fs_is_file(AT_FDCWD, path))
		return 0;
	if (action == CDA_SCRIPT_PRE_LINK)
		cda_emit(events, CDA_EVENT_WARNING,
			 "the package '%s' brings a pre-link script, which can change what other "
			 "environments share",
			 record->name);
	make_env(action, dir, prefix, root_prefix, record, env, &vars);
	proc.env = (const char *const *)cda_strv_argv(&vars);
	rc = cda_proc_run(&proc, &status, err);
	if (rc < 0)
		return cda_err_wrap(err, rc, "cannot run '%s'", path);
	show_messages(prefix, events, &messages);
	trim_end(&out);
	if (status == 0)
		return 0;
	if (action == CDA_SCRIPT_PRE_UNLINK) {
		cda_emit(events, CDA_EVENT_WARNING,
			 "the pre-unlink script of '%s' failed with status %d%s%s", record->name,
			 status, out.len ? ":\n" : "", out.p);
		return 0;
	}
	cda_err_set(err, CDA_E_LINK, "the %s script of '%s' failed with status %d", names[action],
		    record->name, status);
	if (out.len > 0)
		cda_err_hint(err, "its output was:\n%s", out.p);
	return cda_err_hint(err, "the script is '%s'", path);
}
