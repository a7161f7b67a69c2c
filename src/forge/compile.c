#include "forge/compile.h"
#include "util/alloc.h"
#include "util/fs.h"
#include "util/proc.h"
#include "util/str.h"

#include <errno.h>

/* Path of the dynamic loader below with/, and the folder of its libraries; NULL when there is none.
 */
static char *find_loader(const struct cda_stage *stage, char **ret_dir)
{
	static const char *const dirs[] = {"usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"};

	for (size_t i = 0; i < CDA_LEN(dirs); i++) {
		CDA_AUTOFREE char *dir = cda_asprintf("%s/with/%s", stage->dir, dirs[i]);
		CDA_AUTOFREE char *path = cda_path_join(dir, "ld-linux-x86-64.so.2");

		if (!cda_fs_is_file(AT_FDCWD, path))
			continue;
		*ret_dir = cda_take_ptr(dir);
		return cda_take_ptr(path);
	}
	return NULL;
}

int cda_compile_stage(struct cda_stage *stage, const struct cda_strv *libs, struct cda_err *err)
{
	static const char *const env[] = {"PYTHONHASHSEED=0", "LC_ALL=C.UTF-8",
					  "PATH=/usr/bin:/bin", NULL};
	CDA_AUTOFREE char *glibc = NULL;
	CDA_AUTOFREE char *loader = find_loader(stage, &glibc);
	CDA_AUTOFREE char *python = cda_asprintf("%s/pkg/bin/python", stage->dir);
	CDA_AUTOFREE char *cwd = cda_asprintf("%s/pkg", stage->dir);
	CDA_AUTOFREE char *lib_path = cda_strv_join(libs, ":");
	CDA_AUTOSTRV struct cda_strv argv = {0};
	CDA_AUTOBUF struct cda_buf said = CDA_BUF_INIT;
	struct cda_proc proc = {.env = env, .cwd = cwd, .out = &said, .errout = &said};
	int status, rc;

	if (loader) {
		cda_strv_push(&argv, loader);
		cda_strv_push(&argv, "--library-path");
		cda_strv_pushf(&argv, "%s:%s", lib_path, glibc);
	}
	cda_strv_push(&argv, python);
	/* Sources that get the prefix's path when they are installed have another size then, and
	 * nobody reads what was compiled of them. */
	for (const char *const *arg =
		     (const char *const[]){"-s", "-S", "-B", "-m", "compileall", "-q", "-f",
					   "--invalidation-mode", "timestamp", "-x",
					   "/_sysconfigdata[^/]*[.]py$|/config-[^/]*/", "-s", NULL};
	     *arg; arg++)
		cda_strv_push(&argv, *arg);
	cda_strv_push(&argv, cwd);
	for (size_t i = 0; i < stage->compile.n; i++)
		cda_strv_pushf(&argv, "%s/%s", cwd, stage->compile.v[i]);
	proc.argv = (const char *const *)cda_strv_argv(&argv);
	rc = cda_proc_run(&proc, &status, err);
	if (rc)
		return rc;
	if (status)
		return cda_err_set(err, CDA_E_VALUE, "its Python could not compile (status %d): %s",
				   status, said.p);
	return cda_stage_settle(stage, err);
}
