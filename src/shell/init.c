#include "shell/init.h"

#include "shell/dialect.h"
#include "shell/state.h"
#include "util/fs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_RC = 16 << 20 };

const char *const cda_init_shells[] = {"bash", "fish", "tcsh", "xonsh", "zsh", NULL};

struct job {
	const struct cda_shell_opts *opts;
	unsigned flags;
	struct cda_init_changes *changes;
	struct cda_err *err;
};

static const char block_posix[] = "# !! Contents within this block are managed by 'conda init' !!\n"
				  "if [ -x @EXE@ ]; then\n"
				  "\teval \"$(@EXE@ shell.@SHELL@ hook)\"\n"
				  "fi\n";
static const char block_csh[] = "# !! Contents within this block are managed by 'conda init' !!\n"
				"if ( -f @ROOT@/etc/profile.d/conda.csh ) then\n"
				"\tsource @ROOT@/etc/profile.d/conda.csh\n"
				"\tconda activate base\n"
				"endif\n";
static const char block_fish[] = "# !! Contents within this block are managed by 'conda init' !!\n"
				 "if test -x @EXE@\n"
				 "    @EXE@ shell.fish hook | source\n"
				 "end\n";
static const char block_xonsh[] =
	"# !! Contents within this block are managed by 'conda init' !!\n"
	"import os, subprocess as _conda_sp\n"
	"if os.access(@EXE@, os.X_OK):\n"
	"    execx(_conda_sp.check_output([@EXE@, 'shell.xonsh', 'hook']).decode(), 'exec', "
	"__xonsh__.ctx, filename='conda')\n"
	"del _conda_sp\n";

static const struct {
	const char *shell, *rc; /* below the home */
	const char *global;     /* below /etc, or NULL */
	const char *block;
} files[] = {
	{"bash", ".bashrc", "profile.d/conda.sh", block_posix},
	{"zsh", ".zshrc", "zsh/zshrc", block_posix},
	{"fish", ".config/fish/config.fish", "fish/conf.d/conda.fish", block_fish},
	{"tcsh", ".tcshrc", "profile.d/conda.csh", block_csh},
	{"xonsh", ".xonshrc", "xonshrc", block_xonsh},
};

static char *exe_of(const struct cda_shell_opts *opts)
{
	return opts->conda_exe ? cda_strdup(opts->conda_exe)
			       : cda_path_join(opts->root_prefix, "bin/conda");
}

/* In single quotes, which sh, csh, fish and Python all read the same for all but ' and \. */
static char *quote(const char *path)
{
	struct cda_buf out = CDA_BUF_INIT;

	cda_buf_addc(&out, '\'');
	for (; *path; path++)
		cda_buf_adds(&out, *path == '\'' ? "'\"'\"'" : (char[]){*path, '\0'});
	cda_buf_addc(&out, '\'');
	return cda_buf_take(&out);
}

static char *block_for(const struct cda_shell_opts *opts, const char *block, const char *shell)
{
	CDA_AUTOFREE char *exe = exe_of(opts);
	CDA_AUTOFREE char *quoted_exe = quote(exe);
	CDA_AUTOFREE char *root = quote(opts->root_prefix);
	struct cda_buf out = CDA_BUF_INIT;
	const struct {
		const char *mark, *value;
	} marks[] = {{"@EXE@", quoted_exe}, {"@ROOT@", root}, {"@SHELL@", shell}};

	while (*block) {
		size_t i = 0;

		while (i < CDA_LEN(marks) && !cda_starts_with(block, marks[i].mark))
			i++;
		if (i < CDA_LEN(marks)) {
			cda_buf_adds(&out, marks[i].value);
			block += strlen(marks[i].mark);
		} else {
			cda_buf_addc(&out, *block++);
		}
	}
	return cda_buf_take(&out);
}

static struct cda_init_change *note(struct job *job, const char *path, enum cda_init_result result)
{
	return cda_init_changes_push(
		job->changes, (struct cda_init_change){.path = cda_strdup(path), .result = result});
}

static bool refused(const struct cda_err *err)
{
	return err->sys == EACCES || err->sys == EPERM || err->sys == EROFS;
}

/* Writes text to path, through a link, unless it is a dry run; what could not be written for want
 * of rights is told as such, not a failure. */
static int store(struct job *job, const char *path, const char *text, mode_t mode,
		 struct cda_init_change *change)
{
	CDA_AUTOFREE char *real = realpath(path, NULL);
	struct cda_err mine = {0};
	int rc;

	if (job->flags & CDA_INIT_DRY_RUN)
		return 0;
	rc = cda_fs_mkparents(AT_FDCWD, path, 0777, &mine);
	if (rc == 0)
		rc = cda_fs_replace(AT_FDCWD, real ? real : path, text, strlen(text), mode, false,
				    &mine);
	if (rc == 0)
		return 0;
	if (refused(&mine)) {
		change->result = CDA_INIT_NEEDS_SUDO;
		cda_err_done(&mine);
		return 0;
	}
	cda_err_move(job->err, &mine);
	return cda_err_wrap(job->err, rc, "cannot write '%s'", path);
}

static int read_text(struct job *job, const char *path, struct cda_buf *out, bool *ret_there)
{
	struct cda_err mine = {0};

	*ret_there = true;
	if (cda_fs_read(AT_FDCWD, path, MAX_RC, out, &mine) == 0)
		return 0;
	*ret_there = false;
	if (mine.sys == ENOENT || mine.sys == ENOTDIR) {
		cda_err_done(&mine);
		return 0;
	}
	cda_err_move(job->err, &mine);
	return -(int)job->err->code;
}

static int edit_rc(struct job *job, const char *path, const char *block)
{
	CDA_AUTOBUF struct cda_buf before = CDA_BUF_INIT;
	CDA_AUTOFREE char *after = NULL;
	struct cda_init_change *change;
	bool there;
	int rc = read_text(job, path, &before, &there);

	if (rc < 0)
		return rc;
	after = cda_init_edit(before.p, job->flags & CDA_INIT_REVERSE ? NULL : block);
	if (strcmp(before.p, after) == 0) {
		note(job, path, CDA_INIT_NO_CHANGE);
		return 0;
	}
	change = note(job, path, CDA_INIT_MODIFIED);
	change->before = cda_strdup(before.p);
	change->after = cda_strdup(after);
	return store(job, path, after, 0666, change);
}

/* A file that is all ours: written, or taken away. */
static int own_file(struct job *job, const char *path, const char *text, mode_t mode)
{
	CDA_AUTOBUF struct cda_buf before = CDA_BUF_INIT;
	bool there, reverse = job->flags & CDA_INIT_REVERSE;
	int rc = read_text(job, path, &before, &there);

	if (rc < 0)
		return rc;
	if (reverse ? !there : there && strcmp(before.p, text) == 0) {
		note(job, path, CDA_INIT_NO_CHANGE);
		return 0;
	}
	if (!reverse)
		return store(job, path, text, mode, note(job, path, CDA_INIT_MODIFIED));
	if (!(job->flags & CDA_INIT_DRY_RUN) && unlink(path) < 0) {
		if (errno != EACCES && errno != EPERM && errno != EROFS)
			return cda_err_sys(job->err, errno, "cannot remove '%s'", path);
		note(job, path, CDA_INIT_NEEDS_SUDO);
		return 0;
	}
	note(job, path, CDA_INIT_MODIFIED);
	return 0;
}

static int functions_file(struct job *job, const char *dialect, const char *name)
{
	CDA_AUTOFREE char *path = cda_path_join(job->opts->root_prefix, name);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_dialect_functions(cda_dialect_find(dialect), job->opts, &text);
	return own_file(job, path, text.p, 0666);
}

/* bin/activate and bin/deactivate, for those who source them. */
static int sourced_file(struct job *job, const char *name, const char *command)
{
	CDA_AUTOFREE char *path = cda_path_join(job->opts->root_prefix, name);
	CDA_AUTOFREE char *script = cda_path_join(job->opts->root_prefix, "etc/profile.d/conda.sh");
	CDA_AUTOFREE char *quoted = quote(script);
	CDA_AUTOFREE char *text = cda_asprintf(
		"# To be sourced by a POSIX shell.\n. %s || return\n%s\n", quoted, command);

	return own_file(job, path, text, 0777);
}

/* condabin is on PATH also while no environment is active. */
static int condabin_link(struct job *job)
{
	CDA_AUTOFREE char *path = cda_path_join(job->opts->root_prefix, "condabin/conda");
	struct cda_init_change *change;
	int rc = 0;

	if (cda_fs_exists(AT_FDCWD, path)) {
		note(job, path, CDA_INIT_NO_CHANGE);
		return 0;
	}
	change = note(job, path, CDA_INIT_MODIFIED);
	if (job->flags & CDA_INIT_DRY_RUN)
		return 0;
	rc = cda_fs_mkparents(AT_FDCWD, path, 0777, job->err);
	if (rc < 0 && refused(job->err)) {
		cda_err_done(job->err);
		change->result = CDA_INIT_NEEDS_SUDO;
		return 0;
	}
	if (rc == 0 && symlink("../bin/conda", path) < 0) {
		if (errno != EACCES && errno != EROFS)
			return cda_err_sys(job->err, errno, "cannot make the link '%s'", path);
		change->result = CDA_INIT_NEEDS_SUDO;
	}
	return rc;
}

int cda_init_scripts(const struct cda_shell_opts *opts, unsigned flags,
		     struct cda_init_changes *ret, struct cda_err *err)
{
	struct job job = {opts, flags & ~(unsigned)CDA_INIT_REVERSE, ret, err};
	int rc = condabin_link(&job);

	if (rc == 0)
		rc = sourced_file(&job, "bin/activate", "conda activate \"$@\"");
	if (rc == 0)
		rc = sourced_file(&job, "bin/deactivate", "conda deactivate");
	if (rc == 0)
		rc = functions_file(&job, "posix", "etc/profile.d/conda.sh");
	if (rc == 0)
		rc = functions_file(&job, "csh", "etc/profile.d/conda.csh");
	if (rc == 0)
		rc = functions_file(&job, "fish", "etc/fish/conf.d/conda.fish");
	if (rc == 0)
		rc = functions_file(&job, "xonsh", "etc/conda/conda.xsh");
	return rc;
}

static int init_shell(struct job *job, const char *shell, const char *home, const char *etc)
{
	for (size_t i = 0; i < CDA_LEN(files); i++) {
		CDA_AUTOFREE char *block = NULL;
		CDA_AUTOFREE char *rc_path = NULL;
		CDA_AUTOFREE char *global = NULL;
		const char *zdotdir = cda_env_get(job->opts->env, "ZDOTDIR");
		bool zsh = strcmp(shell, "zsh") == 0;
		int rc = 0;

		if (strcmp(files[i].shell, shell) != 0)
			continue;
		block = block_for(job->opts, files[i].block, shell);
		rc_path = cda_path_join(zsh && zdotdir && *zdotdir ? zdotdir : home, files[i].rc);
		global = cda_path_join(etc, files[i].global);
		if (job->flags & CDA_INIT_USER)
			rc = edit_rc(job, rc_path, block);
		if (rc == 0 && (job->flags & CDA_INIT_SYSTEM))
			rc = edit_rc(job, global, block);
		return rc;
	}
	cda_err_set(job->err, CDA_E_USAGE, "'%s' is not a shell that can be initialized", shell);
	return cda_err_hint(job->err, "choices: bash, fish, tcsh, xonsh, zsh");
}

int cda_init(const struct cda_shell_opts *opts, const char *home, const char *etc,
	     const struct cda_strv *shells, unsigned flags, struct cda_init_changes *ret,
	     struct cda_err *err)
{
	struct job job = {opts, flags, ret, err};
	int rc = 0;

	if (!(job.flags & (CDA_INIT_USER | CDA_INIT_SYSTEM)))
		job.flags |= CDA_INIT_USER;
	if (!(flags & (CDA_INIT_NO_SCRIPTS | CDA_INIT_REVERSE)))
		rc = cda_init_scripts(opts, flags, ret, err);
	for (size_t i = 0; rc == 0 && i < (shells && shells->n > 0 ? shells->n : 1); i++)
		rc = init_shell(&job, shells && shells->n > 0 ? shells->v[i] : "bash", home, etc);
	return rc;
}

void cda_init_changes_free_all(struct cda_init_changes *changes)
{
	cda_vec_each (it, changes) {
		free(it->path);
		free(it->before);
		free(it->after);
	}
	cda_init_changes_done(changes);
}
