#include "prefix/noarch.h"

#include "prefix/rewrite.h"
#include "util/fs.h"
#include "util/proc.h"

static struct cda_str major_minor(const char *version)
{
	size_t len = strcspn(version, ".");

	if (version[len] == '.')
		len += 1 + strcspn(version + len + 1, ".+-_!");
	return (struct cda_str){version, len};
}

void cda_python_of(const struct cda_record *python, struct cda_python *ret)
{
	struct cda_str version = major_minor(python->version);
	const char *own = python->python_site_packages_path;

	*ret = (struct cda_python){.version = cda_str_dup(version)};
	ret->program = cda_asprintf("bin/python%s", ret->version);
	if (own && cda_fs_path_is_inside(own))
		ret->site_packages = cda_strdup(own);
	else
		ret->site_packages = cda_asprintf("lib/python%s/site-packages", ret->version);
}

void cda_python_done(struct cda_python *python)
{
	free(python->version);
	free(python->site_packages);
	free(python->program);
	*python = (struct cda_python){0};
}

char *cda_noarch_target(const struct cda_python *python, const char *path)
{
	if (cda_starts_with(path, "site-packages/"))
		return cda_asprintf("%s%s", python->site_packages, path + strlen("site-packages"));
	if (cda_starts_with(path, "python-scripts/"))
		return cda_asprintf("bin%s", path + strlen("python-scripts"));
	return cda_strdup(path);
}

char *cda_noarch_pyc(const struct cda_python *python, const char *py)
{
	CDA_AUTOFREE char *dir = cda_path_dirname(py), *stem = NULL, *tag = NULL;

	if (cda_starts_with(python->version, "2."))
		return cda_asprintf("%sc", py);
	stem = cda_strdup(cda_path_basename(py));
	stem[strlen(stem) - 3] = '\0';
	tag = cda_strdup(python->version);
	for (char *from = tag, *to = tag; (*to = *from); from++)
		to += *from != '.';
	return cda_asprintf("%s%s__pycache__/%s.cpython-%s.pyc", strcmp(dir, ".") == 0 ? "" : dir,
			    strcmp(dir, ".") == 0 ? "" : "/", stem, tag);
}

bool cda_noarch_is_source(const char *path)
{
	return cda_starts_with(path, "site-packages/") && cda_ends_with(path, ".py") &&
	       strlen(cda_path_basename(path)) > 3 && !strpbrk(path, "\t\n\r\f\v");
}

void cda_entry_point_format(const struct cda_entry_point *entry, const char *interpreter,
			    struct cda_buf *out)
{
	size_t import = strcspn(entry->func, ".");

	cda_rewrite_shebang(interpreter, out);
	cda_buf_addf(out,
		     "# -*- coding: utf-8 -*-\n"
		     "import re\n"
		     "import sys\n"
		     "\n"
		     "from %s import %.*s\n"
		     "\n"
		     "if __name__ == '__main__':\n"
		     "    sys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])\n"
		     "    sys.exit(%s())\n",
		     entry->module, (int)import, entry->func, entry->func);
}

int cda_noarch_compile(const char *prefix, const struct cda_python *python,
		       const struct cda_strv *files, const char *const *env, bool *ret_done,
		       struct cda_err *err)
{
	CDA_AUTOFREE char *program = NULL, *list = NULL;
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;
	const char *argv[] = {NULL, "-Wi", "-m", "compileall", "-q", "-l", "-i", "-", NULL};
	struct cda_proc proc = {.argv = argv, .env = env, .cwd = prefix, .out = &out};
	int rc, status = 0;

	*ret_done = files->n == 0;
	if (files->n == 0 || !python->program)
		return 0;
	argv[0] = program = cda_path_join(prefix, python->program);
	if (access(program, X_OK) != 0)
		return 0;
	list = cda_strv_join(files, "\n");
	proc.in = list;
	proc.in_len = strlen(list);
	proc.errout = &out;
	rc = cda_proc_run(&proc, &status, err);
	if (rc >= 0)
		*ret_done = status == 0;
	return rc;
}
