#include "check.h"
#include "prefix/envs.h"
#include "prefix/history.h"
#include "prefix/journal.h"
#include "prefixes.h"
#include "util/lock.h"
#include "util/proc.h"

#include <signal.h>
#include <sys/wait.h>

/* A python that "compiles" what it is told to. */
#define COMPILER(tag)                                                                              \
	"#!/bin/sh\nwhile read f || [ -n \"$f\" ]; do d=${f%/*}; b=${f##*/}\n"                     \
	"mkdir -p \"$d/__pycache__\"; echo pyc >\"$d/__pycache__/${b%.py}.cpython-" tag            \
	".pyc\"; done\n"

static const struct tpkg_file python11_files[] = {
	{"bin/python", .link = "python3.11"},
	{"bin/python3.11", .text = COMPILER("311"), .mode = 0755},
	{"lib/python3.11/os.py", .text = "os"},
	{NULL}};
static const struct tpkg_file python12_files[] = {
	{"bin/python", .link = "python3.12"},
	{"bin/python3.12", .text = COMPILER("312"), .mode = 0755},
	{"lib/python3.12/os.py", .text = "os"},
	{NULL}};
static const struct tpkg_file tool1_files[] = {
	{"bin/tool", .text = "#!" TPKG_PLACEHOLDER "/bin/sh\necho 1\n", .mode = 0555,
	 .prefix = "text"},
	{"lib/tool.so", .text = "ELF\0" TPKG_PLACEHOLDER "/lib\0tail", .len = 4 + 210 + 4 + 5,
	 .prefix = "binary"},
	{"share/tool/common", .text = "v1"},
	{"share/tool/copied", .text = "c", .no_link = true},
	{"share/tool/gone/old", .text = "old"},
	{"share/tool/shape", .text = "a file"},
	{"share/tool/turned/into", .text = "a folder"},
	{NULL}};
static const struct tpkg_file tool2_files[] = {{"bin/tool",
						.text = "#!" TPKG_PLACEHOLDER "/bin/sh\necho 2\n",
						.mode = 0755, .prefix = "text"},
					       {"share/tool/common", .text = "v2"},
					       {"share/tool/new/file", .text = "new"},
					       {"share/tool/shape/now", .text = "a folder"},
					       {"share/tool/turned", .text = "a file"},
					       {NULL}};
static const struct tpkg_file npkg_files[] = {
	{"python-scripts/np-run", .text = "#!/bin/sh\n", .mode = 0755},
	{"site-packages/npkg/__init__.py", .text = "x = 1\n"},
	{"site-packages/npkg/cli.py", .text = "def main(): pass\n"},
	{"site-packages/npkg/data.txt", .text = "data"},
	{NULL}};

static const struct tpkg python11 = {"python", "3.11.2", "h_0", .files = python11_files};
static const struct tpkg python12 = {"python", "3.12.1", "h_0", .files = python12_files};
static const struct tpkg tool1 = {"tool", "1.0", "0", .files = tool1_files};
static const struct tpkg tool2 = {"tool", "2.0", "0", .files = tool2_files};
static const struct tpkg npkg = {"npkg",
				 "1.0",
				 "py_0",
				 .noarch = "python",
				 .files = npkg_files,
				 .entry_points = {"np = npkg.cli:main"}};

static void install_first(struct tprefix *t)
{
	struct cda_err err = {0};

	tprefix_link(t, &python11);
	tprefix_link(t, &tool1);
	tprefix_link(t, &npkg);
	cda_strv_push(&t->plan.update_specs, "tool=1");
	tpkg_must(tprefix_run(t, &err), err);
}

/* Another python, so npkg moves; the tool changes files into folders and back. */
static void plan_upgrade(struct tprefix *t)
{
	tprefix_unlink(t, &npkg);
	tprefix_unlink(t, &tool1);
	tprefix_unlink(t, &python11);
	tprefix_link(t, &python12);
	tprefix_link(t, &tool2);
	tprefix_link(t, &npkg);
	cda_strv_push(&t->plan.update_specs, "python=3.12");
}

TEST(packages_are_installed_upgraded_and_removed)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *text = NULL, *want = NULL;
	struct cda_err err = {0};
	struct stat st;

	tprefix_new(&t);
	install_first(&t);
	text = tprefix_read(&t, "bin/tool");
	want = cda_asprintf("#!%s/bin/sh\necho 1\n", t.prefix);
	CHECK_STR(text, want);
	CHECK(fstatat(AT_FDCWD, t.prefix, &st, 0) == 0);
	cda_replace(&want, cda_path_join(t.prefix, "bin/tool"));
	CHECK(stat(want, &st) == 0 && (st.st_mode & 07777) == 0755 && st.st_nlink == 1);
	cda_replace(&want, cda_path_join(t.prefix, "share/tool/common"));
	CHECK(stat(want, &st) == 0 && st.st_nlink == 2);
	cda_replace(&want, cda_path_join(t.prefix, "share/tool/copied"));
	CHECK(stat(want, &st) == 0 && st.st_nlink == 1);
	CHECK(tprefix_has(&t, "lib/python3.11/site-packages/npkg/__pycache__/cli.cpython-311.pyc"));
	CHECK(tprefix_has(&t, "bin/np") && tprefix_has(&t, "bin/np-run"));
	CHECK(tprefix_has(&t, "conda-meta/npkg-1.0-py_0.json"));
	CHECK(!tprefix_has(&t, "conda-meta/.condense.lock"));
	CHECK(!tprefix_has(&t, CDA_JOURNAL_DIR));

	/* What Python made without being asked. */
	scratch_write(&t.scratch, "env/lib/python3.11/__pycache__/os.cpython-311.opt-1.pyc", "x");
	scratch_write(&t.scratch, "env/lib/python3.11/mine/keep", "x");
	plan_upgrade(&t);
	if (!CHECK(tprefix_run(&t, &err) >= 0))
		printf("# %s\n", err.msg);
	CHECK(tprefix_has(&t, "lib/python3.12/site-packages/npkg/__pycache__/cli.cpython-312.pyc"));
	CHECK(tprefix_has(&t, "lib/python3.11/mine/keep"));
	CHECK(!tprefix_has(&t, "lib/python3.11/site-packages"));
	CHECK(!tprefix_has(&t, "lib/python3.11/__pycache__"));
	CHECK(!tprefix_has(&t, "share/tool/gone"));
	CHECK(!tprefix_has(&t, "lib/tool.so"));
	CHECK(tprefix_has(&t, "share/tool/shape/now"));
	cda_replace(&text, tprefix_read(&t, "share/tool/turned"));
	CHECK_STR(text, "a file");
	CHECK(!tprefix_has(&t, "conda-meta/tool-1.0-0.json"));
	cda_replace(&text, tprefix_read(&t, "bin/np"));
	want = (free(want), cda_asprintf("#!%s/bin/python3.12\n", t.prefix));
	CHECK(text && cda_starts_with(text, want));

	tprefix_unlink(&t, &npkg);
	tprefix_unlink(&t, &tool2);
	tprefix_unlink(&t, &python12);
	CHECK(tprefix_run(&t, &err) >= 0);
	cda_replace(&text, tprefix_read(&t, "conda-meta/history"));
	CHECK_STR(text, "==> 2026-01-02 03:04:05 <==\n# cmd: conda test\n# conda version: 1.2.3\n"
			"+chan/linux-64::python-3.11.2-h_0\n+chan/linux-64::tool-1.0-0\n"
			"+chan/noarch::npkg-1.0-py_0\n# update specs: ['tool=1']\n"
			"==> 2026-01-02 03:04:05 <==\n# cmd: conda test\n# conda version: 1.2.3\n"
			"-chan/linux-64::python-3.11.2-h_0\n-chan/linux-64::tool-1.0-0\n"
			"+chan/linux-64::python-3.12.1-h_0\n+chan/linux-64::tool-2.0-0\n"
			"# update specs: ['python=3.12']\n"
			"==> 2026-01-02 03:04:05 <==\n# cmd: conda test\n# conda version: 1.2.3\n"
			"-chan/linux-64::python-3.12.1-h_0\n-chan/linux-64::tool-2.0-0\n"
			"-chan/noarch::npkg-1.0-py_0\n");
	cda_replace(&text, tprefix_tree(&t));
	CHECK(text && !strstr(text, "share") && !strstr(text, "bin") && strstr(text, "mine/keep"));
}

TEST(records_say_what_was_done)
{
	AUTOTPREFIX struct tprefix t;
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *meta = NULL;
	const struct cda_installed *tool, *n;
	struct cda_err err = {0};
	char hex[CDA_HASH_HEX_MAX];

	tprefix_new(&t);
	install_first(&t);
	REQUIRE(cda_meta_load(t.prefix, NULL, CDA_META_FILES, &meta, &err) >= 0);
	REQUIRE(CHECK_INT(cda_meta_count(meta), 3));
	tool = cda_meta_find(meta, "tool");
	CHECK_STR(tool->record.requested_spec, "tool=1");
	CHECK_INT(tool->link_type, CDA_LINK_HARD);
	REQUIRE(CHECK_INT(tool->path_count, 7));
	CDA_AUTOFREE char *text = tprefix_read(&t, "bin/tool");
	cda_hash_mem(CDA_SHA256, text, strlen(text), hex);
	CHECK_STR(tool->paths[0].sha256_in_prefix, hex);
	CHECK_STR(tool->paths[0].file_mode, "text");
	CHECK_STR(tool->paths[1].file_mode, "binary");
	CHECK_STR(tool->paths[2].sha256_in_prefix, tool->paths[2].sha256);
	CHECK(tool->paths[3].no_link);
	n = cda_meta_find(meta, "npkg");
	CHECK(!n->record.requested_spec);
	REQUIRE(CHECK_INT(n->path_count, 7));
	CHECK_STR(n->paths[0].path, "python-scripts/np-run");
	CHECK_STR(n->paths[0].target, "bin/np-run");
	CHECK_INT(n->paths[4].kind, CDA_META_PYC);
	CHECK_INT(n->paths[6].kind, CDA_META_ENTRY_POINT);
}

TEST(an_empty_plan_makes_an_environment)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *text = NULL, *line = NULL;
	struct cda_err err = {0};

	tprefix_new(&t);
	t.txn.conda_dir = t.conda_dir;
	CHECK(tprefix_run(&t, &err) >= 0);
	CHECK(cda_prefix_is_env(t.prefix));
	text = scratch_read(&t.scratch, "home/.conda/environments.txt");
	line = cda_asprintf("%s\n", t.prefix);
	CHECK_STR(text, line);
	t.txn.history_cmd = NULL;
	CHECK(tprefix_run(&t, &err) >= 0);
	cda_replace(&text, tprefix_read(&t, "conda-meta/history"));
	CHECK_STR(text, "==> 2026-01-02 03:04:05 <==\n# cmd: conda test\n# conda version: 1.2.3\n");
}

/* Faults. The hook counts the changes and does something at the n-th. */
static int fault_at, fault_count, fault_errno;
static enum { FAIL, KILL, INTERRUPT } fault_kind;

static int fault(const char *path)
{
	(void)path;
	if (++fault_count != fault_at)
		return 0;
	if (fault_kind == KILL)
		raise(SIGKILL);
	if (fault_kind == INTERRUPT)
		cda_interrupted = 1;
	return fault_kind == FAIL ? fault_errno : 0;
}

static void copy_tree(const char *from, const char *to)
{
	struct cda_err err = {0};
	const char *argv[] = {"cp", "-a", from, to, NULL};
	struct cda_proc proc = {.argv = argv};
	int status;

	tpkg_must(cda_fs_remove(AT_FDCWD, to, &err), err);
	tpkg_must(cda_proc_run(&proc, &status, &err), err);
	if (status != 0)
		tpkg_die("cp", from);
}

/* The trees before and after the upgrade, and a copy of the prefix as before. */
struct upgrade {
	char *saved, *before, *after;
};

static void upgrade_new(struct tprefix *t, struct upgrade *upgrade)
{
	struct cda_err err = {0};

	tprefix_new(t);
	t->txn.threads = 1; /* the n-th change is the same each time */
	install_first(t);
	scratch_write(&t->scratch, "env/lib/python3.11/__pycache__/os.cpython-311.pyc", "x");
	upgrade->saved = scratch_path(&t->scratch, "saved");
	copy_tree(t->prefix, upgrade->saved);
	upgrade->before = tprefix_tree(t);
	plan_upgrade(t);
	tpkg_must(tprefix_run(t, &err), err);
	upgrade->after = tprefix_tree(t);
	copy_tree(upgrade->saved, t->prefix);
}

static void upgrade_done(struct upgrade *upgrade)
{
	free(upgrade->saved);
	free(upgrade->before);
	free(upgrade->after);
}

/* Lines that show where two trees part, for diagnosis. */
static bool same_tree(const char *got, const char *want, const char *what, int at)
{
	size_t same = 0;

	if (strcmp(got, want) == 0)
		return true;
	while (got[same] && got[same] == want[same])
		same++;
	printf("# %s at change %d, from byte %zu:\n#  got  %.120s\n#  want %.120s\n", what, at,
	       same, got + same, want + same);
	return false;
}

static int run_faulty(struct tprefix *t, int at, struct cda_err *err)
{
	int rc;

	fault_at = at;
	fault_count = 0;
	cda_journal_fault = fault;
	rc = tprefix_run(t, err);
	cda_journal_fault = NULL;
	cda_interrupted = 0;
	return rc;
}

TEST(any_failing_change_leads_back)
{
	static const int errors[] = {ENOSPC, EACCES};
	AUTOTPREFIX struct tprefix t;
	struct upgrade upgrade;
	int at = 1;

	upgrade_new(&t, &upgrade);
	fault_kind = FAIL;
	for (bool more = true; more && at < 1000; at++) {
		CDA_AUTOFREE char *tree = NULL;
		struct cda_err err = {0};

		fault_errno = errors[at % 2];
		plan_upgrade(&t);
		more = run_faulty(&t, at, &err) < 0;
		tree = tprefix_tree(&t);
		/* A fault in the clean-up does not count: it is finished next time. */
		if (!more)
			break;
		CHECK_AT(err.code == (fault_errno == ENOSPC ? CDA_E_NOSPACE : CDA_E_SYS) ||
				 err.code == CDA_E_UNWRITABLE,
			 "change %d: %s", at, err.msg);
		cda_err_done(&err);
		REQUIRE(same_tree(tree, upgrade.before, "after a failure", at));
	}
	CHECK(at > 50 && at < 1000);
	printf("# %d changes can fail\n", at - 1);
	upgrade_done(&upgrade);
}

TEST(any_interruption_leads_back)
{
	AUTOTPREFIX struct tprefix t;
	struct upgrade upgrade;
	int at = 1, rc = -1;

	upgrade_new(&t, &upgrade);
	fault_kind = INTERRUPT;
	for (; at < 1000; at++) {
		CDA_AUTOFREE char *tree = NULL;
		struct cda_err err = {0};

		plan_upgrade(&t);
		rc = run_faulty(&t, at, &err);
		tree = tprefix_tree(&t);
		if (rc >= 0)
			break;
		CHECK_INT_AT(err.code, CDA_E_INTERRUPTED, "change %d: %s", at, err.msg);
		cda_err_done(&err);
		REQUIRE(same_tree(tree, upgrade.before, "after an interruption", at));
	}
	CHECK(rc >= 0 && at > 50);
	upgrade_done(&upgrade);
}

/* True when the child ran to its end; else it was killed at the change. */
static bool run_child(struct tprefix *t, int at, bool recover)
{
	struct cda_err err = {0};
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		fault_kind = KILL;
		fault_at = at;
		fault_count = 0;
		cda_journal_fault = fault;
		if (!recover)
			plan_upgrade(t);
		_exit((recover ? cda_txn_recover(t->prefix, NULL, NULL, &err)
			       : cda_txn_run(&t->txn, &err)) < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		tpkg_die("fork", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		tpkg_die("child", "failed");
	return WIFEXITED(status);
}

TEST(a_kill_at_any_change_is_recovered)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *lock = NULL;
	struct upgrade upgrade;
	int at = 1, back = 0, forth = 0;

	upgrade_new(&t, &upgrade);
	lock = cda_path_join(t.prefix, "conda-meta/.condense.lock");
	for (; at < 1000; at++) {
		CDA_AUTOFREE char *tree = NULL;
		struct cda_err err = {0};

		if (run_child(&t, at, false))
			break;
		/* Every third recovery is killed itself, ever later. */
		for (int k = 1; at % 3 == 0 && k < 1000 && !run_child(&t, k, true);)
			k += 1 + at % 7;
		REQUIRE(cda_txn_recover(t.prefix, NULL, NULL, &err) >= 0);
		/* The lock itself went with its holder. */
		unlink(lock);
		tree = tprefix_tree(&t);
		if (strcmp(tree, upgrade.after) == 0) {
			forth++;
			copy_tree(upgrade.saved, t.prefix);
			continue;
		}
		back++;
		REQUIRE(same_tree(tree, upgrade.before, "after a kill", at));
		CHECK_INT_AT(forth, 0, "change %d: back after the commit", at);
	}
	printf("# %d kills before the commit, %d after\n", back, forth);
	CHECK(back > 50 && forth > 5 && at < 1000);
	upgrade_done(&upgrade);
}

TEST(the_next_run_recovers_by_itself)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *tree = NULL;
	struct upgrade upgrade;
	struct cda_err err = {0};

	upgrade_new(&t, &upgrade);
	CHECK(!run_child(&t, 40, false));
	CHECK(tprefix_has(&t, CDA_JOURNAL_DIR "/log"));
	plan_upgrade(&t);
	CHECK(tprefix_run(&t, &err) >= 0);
	CHECK(strstr(t.events.p, "killed"));
	tree = tprefix_tree(&t);
	CHECK(same_tree(tree, upgrade.after, "after the next run", 0));
	upgrade_done(&upgrade);
}

static const struct tpkg_file clob_a_files[] = {
	{"share/clob/a", .text = "a"}, {"share/clob/both", .text = "from a"}, {NULL}};
static const struct tpkg_file clob_b_files[] = {
	{"share/clob/b", .text = "b"}, {"share/clob/both", .text = "from b"}, {NULL}};
static const struct tpkg clob_a = {"clob-a", "1", "0", .files = clob_a_files};
static const struct tpkg clob_b = {"clob-b", "1", "0", .files = clob_b_files};

TEST(collisions_follow_the_setting)
{
	static const struct {
		enum cda_txn_conflict conflict;
		bool installed, user_file;
		enum cda_errc code;
		unsigned warnings;
	} rows[] = {
		{CDA_CONFLICT_CLOBBER, false, false, CDA_OK, 0},
		{CDA_CONFLICT_CLOBBER, true, false, CDA_OK, 0},
		{CDA_CONFLICT_CLOBBER, false, true, CDA_OK, 0},
		{CDA_CONFLICT_WARN, false, false, CDA_OK, 1},
		{CDA_CONFLICT_WARN, true, false, CDA_OK, 1},
		{CDA_CONFLICT_WARN, false, true, CDA_OK, 2},
		{CDA_CONFLICT_PREVENT, false, false, CDA_E_CLOBBER, 0},
		{CDA_CONFLICT_PREVENT, true, false, CDA_E_CLOBBER, 0},
		{CDA_CONFLICT_PREVENT, false, true, CDA_E_CLOBBER, 0},
	};

	for (size_t i = 0; i < CDA_LEN(rows); i++) {
		AUTOTPREFIX struct tprefix t;
		CDA_AUTOFREE char *text = NULL;
		struct cda_err err = {0};
		unsigned warnings = 0;

		tprefix_new(&t);
		if (rows[i].user_file)
			scratch_write(&t.scratch, "env/share/clob/both", "mine");
		tprefix_link(&t, &clob_a);
		if (rows[i].installed)
			tpkg_must(tprefix_run(&t, &err), err);
		tprefix_link(&t, &clob_b);
		t.txn.path_conflict = rows[i].conflict;
		CHECK_INT_AT(-tprefix_run(&t, &err), rows[i].code, "row %zu", i);
		cda_err_done(&err);
		for (const char *p = t.events.p; (p = strstr(p, "warning:")); p++)
			warnings++;
		CHECK_INT_AT(warnings, rows[i].warnings, "row %zu: %s", i, t.events.p);
		text = tprefix_read(&t, "share/clob/both");
		CHECK_STR_AT(text,
			     rows[i].code == CDA_OK ? "from b"
			     : rows[i].user_file    ? "mine"
			     : rows[i].installed    ? "from a"
						    : NULL,
			     "row %zu", i);
	}
}

struct bad_row {
	const char *what;
	struct tpkg pkg;
	enum cda_txn_checks checks;
	bool extra;
	enum cda_errc code;
};

static const struct tpkg_file bad_hash_files[] = {
	{"share/x", .text = "x",
	 .sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
	{NULL}};
static const struct tpkg_file folder_files[] = {{"share/empty", .dir = true}, {NULL}};
static const struct tpkg_file through_files[] = {{"out/tmp/x", .text = "x"}, {NULL}};
static const struct tpkg_file record_files[] = {{"conda-meta/zlib-1-0.json", .text = "x"}, {NULL}};
static const struct tpkg_file into_files[] = {{"mine/x", .text = "x"}, {NULL}};
static const struct tpkg_file onto_files[] = {{"folder", .text = "x"}, {NULL}};

static const struct bad_row bad_rows[] = {
	{"not hashed", {"p", "1", "0", .files = bad_hash_files}, CDA_CHECKS_ENABLED, false, CDA_OK},
	{"hash differs, warned",
	 {"p", "1", "0", .files = bad_hash_files},
	 CDA_CHECKS_WARN,
	 true,
	 CDA_OK},
	{"hash differs",
	 {"p", "1", "0", .files = bad_hash_files},
	 CDA_CHECKS_ENABLED,
	 true,
	 CDA_E_SAFETY},
	{"hash not looked at",
	 {"p", "1", "0", .files = bad_hash_files},
	 CDA_CHECKS_DISABLED,
	 true,
	 CDA_OK},
	{"a folder by itself",
	 {"p", "1", "0", .files = folder_files},
	 CDA_CHECKS_WARN,
	 false,
	 CDA_E_ARCHIVE},
	{"through a link",
	 {"p", "1", "0", .files = through_files},
	 CDA_CHECKS_WARN,
	 false,
	 CDA_E_CLOBBER},
	{"a record of its own",
	 {"p", "1", "0", .files = record_files},
	 CDA_CHECKS_WARN,
	 false,
	 CDA_E_ARCHIVE},
	{"a file as folder",
	 {"p", "1", "0", .files = into_files},
	 CDA_CHECKS_WARN,
	 false,
	 CDA_E_CLOBBER},
	{"onto a folder",
	 {"p", "1", "0", .files = onto_files},
	 CDA_CHECKS_WARN,
	 false,
	 CDA_E_CLOBBER},
	{"no python",
	 {"p", "1", "0", .noarch = "python", .files = npkg_files},
	 CDA_CHECKS_WARN,
	 false,
	 CDA_E_LINK},
};

TEST(damaged_and_hostile_packages_change_nothing)
{
	for (size_t i = 0; i < CDA_LEN(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];
		AUTOTPREFIX struct tprefix t;
		CDA_AUTOFREE char *out = NULL, *before = NULL, *after = NULL;
		struct cda_err err = {0};

		tprefix_new(&t);
		tpkg_must(tprefix_run(&t, &err), err);
		out = scratch_path(&t.scratch, "env/out");
		if (symlink(t.scratch.dir, out) != 0)
			tpkg_die("symlink", strerror(errno));
		scratch_mkdir(&t.scratch, "tmp");
		scratch_write(&t.scratch, "env/mine", "mine");
		scratch_write(&t.scratch, "env/folder/file", "mine");
		before = tprefix_tree(&t);
		t.txn.safety_checks = row->checks;
		t.txn.extra_safety_checks = row->extra;
		tprefix_link(&t, &row->pkg);
		CHECK_INT_AT(-tprefix_run(&t, &err), row->code, "%s: %s", row->what,
			     err.msg ? err.msg : "");
		cda_err_done(&err);
		after = tprefix_tree(&t);
		CHECK_INT_AT(strcmp(before, after) != 0, row->code == CDA_OK, "%s", row->what);
		CHECK(!scratch_has(&t.scratch, "tmp/x"));
	}
}

TEST(a_damaged_cache_is_told)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *dir = NULL, *file = NULL;
	struct cda_err err = {0};

	tprefix_new(&t);
	dir = tprefix_unpack(&t, &clob_a);
	file = cda_path_join(dir, "share/clob/a");
	tpkg_write_file(file, "longer than told", 16);
	t.txn.safety_checks = CDA_CHECKS_ENABLED;
	tprefix_link(&t, &clob_a);
	CHECK_INT(-tprefix_run(&t, &err), CDA_E_SAFETY);
	CHECK(err.hint && strstr(err.hint, dir));
	cda_err_done(&err);
	unlink(file);
	t.txn.safety_checks = CDA_CHECKS_DISABLED;
	tprefix_link(&t, &clob_a);
	CHECK_INT(-tprefix_run(&t, &err), CDA_E_ARCHIVE);
	cda_err_done(&err);
}

static const struct tpkg_file script_files[] = {
	{"bin/.s-post-link.sh", .mode = 0755,
	 .text = "echo "
		 "\"$PREFIX|$PKG_NAME|$PKG_VERSION|$PKG_BUILDNUM|$ROOT_PREFIX|$PWD|${PATH%%:*}\" "
		 ">\"$PREFIX/post.ran\"\necho hello >\"$PREFIX/.messages.txt\"\necho noise\n"},
	{"bin/.s-pre-unlink.sh", .mode = 0755, .text = "echo gone >\"$PREFIX/pre.ran\"\nexit 3\n"},
	{"bin/.s-post-unlink.sh", .mode = 0755, .text = "echo gone >\"$PREFIX/never.ran\"\n"},
	{NULL}};
static const struct tpkg_file bad_script_files[] = {
	{"bin/.bad-post-link.sh", .mode = 0755, .text = "echo about to fail\nexit 3\n"},
	{"share/bad", .text = "x"},
	{NULL}};
static const struct tpkg script_pkg = {"s", "1.5", "0", .build_number = 7, .files = script_files};
static const struct tpkg bad_script_pkg = {"bad", "1", "0", .files = bad_script_files};

TEST(scripts_run_with_condas_environment)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *text = NULL, *want = NULL;
	struct cda_err err = {0};

	tprefix_new(&t);
	tprefix_link(&t, &script_pkg);
	REQUIRE(tprefix_run(&t, &err) >= 0);
	text = tprefix_read(&t, "post.ran");
	want = cda_asprintf("%s|s|1.5|7|/opt/conda|%s/bin|%s/bin\n", t.prefix, t.prefix, t.prefix);
	CHECK_STR(text, want);
	CHECK_STR(t.events.p, "output: hello\n\n");
	CHECK(!tprefix_has(&t, ".messages.txt"));
	tprefix_unlink(&t, &script_pkg);
	REQUIRE(tprefix_run(&t, &err) >= 0);
	CHECK(tprefix_has(&t, "pre.ran") && !tprefix_has(&t, "never.ran"));
	CHECK(strstr(t.events.p, "warning: the pre-unlink script of 's' failed"));
	t.txn.skip_scripts = true;
	tprefix_link(&t, &bad_script_pkg);
	CHECK(tprefix_run(&t, &err) >= 0);
}

TEST(a_failing_link_script_leads_back)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *text = NULL, *before = NULL, *after = NULL;
	struct cda_err err = {0};

	tprefix_new(&t);
	tprefix_link(&t, &bad_script_pkg);
	CHECK_INT(-tprefix_run(&t, &err), CDA_E_LINK);
	CHECK(err.hint && strstr(err.hint, "about to fail"));
	cda_err_done(&err);
	/* As conda leaves it: a new environment with the attempt in its history. */
	text = tprefix_read(&t, "conda-meta/history");
	CHECK(text && strstr(text, "+chan/linux-64::bad-1-0\n"));
	CHECK(!tprefix_has(&t, "share") && !tprefix_has(&t, "bin"));
	tprefix_link(&t, &clob_a);
	REQUIRE(tprefix_run(&t, &err) >= 0);
	before = tprefix_tree(&t);
	tprefix_unlink(&t, &clob_a);
	tprefix_link(&t, &bad_script_pkg);
	CHECK_INT(-tprefix_run(&t, &err), CDA_E_LINK);
	cda_err_done(&err);
	after = tprefix_tree(&t);
	CHECK(same_tree(after, before, "after the script", 0));
}

TEST(what_is_disallowed_is_not_begun)
{
	static const char *const disallowed[] = {"other", "clob-a >=1", NULL};
	AUTOTPREFIX struct tprefix t;
	struct cda_err err = {0};

	tprefix_new(&t);
	t.txn.disallowed = disallowed;
	tprefix_link(&t, &clob_b);
	CHECK(tprefix_run(&t, &err) >= 0);
	tprefix_link(&t, &clob_a);
	CHECK_INT(-tprefix_run(&t, &err), CDA_E_DISALLOWED);
	CHECK(strstr(err.msg, "clob-a-1-0"));
	cda_err_done(&err);
}

TEST(the_umask_is_kept)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *tree = NULL;
	mode_t before = umask(007);

	tprefix_new(&t);
	install_first(&t);
	umask(before);
	tree = tprefix_tree(&t);
	CHECK(strstr(tree, "conda-meta/ 0770\n"));
	CHECK(strstr(tree, "conda-meta/history 0660 "));
	CHECK(strstr(tree, "conda-meta/tool-1.0-0.json 0660 "));
	CHECK(strstr(tree, "bin/np 0770 "));
	CHECK(strstr(tree, "share/tool/gone/ 0770\n"));
}

struct holder {
	pid_t pid;
	int to, from;
};

static void holder_new(struct tprefix *t, struct holder *holder)
{
	CDA_AUTOFREE char *dir = cda_path_join(t->prefix, "conda-meta");
	int down[2], up[2];
	char byte;

	if (pipe(down) != 0 || pipe(up) != 0 || (holder->pid = fork()) < 0)
		tpkg_die("fork", strerror(errno));
	if (holder->pid == 0) {
		struct cda_lock *lock = NULL;
		struct cda_err err = {0};
		int fd = open(dir, O_RDONLY | O_DIRECTORY);

		close(down[1]);
		if (cda_lock_acquire(fd, ".condense.lock", false, false, &lock, &err) < 0 ||
		    write(up[1], "x", 1) != 1)
			_exit(1);
		_exit(read(down[0], &byte, 1) != 1);
	}
	close(down[0]);
	close(up[1]);
	holder->to = down[1];
	holder->from = up[0];
	if (read(holder->from, &byte, 1) != 1)
		tpkg_die("holder", "has no lock");
}

static int holder_end(struct holder *holder)
{
	int status = -1;

	close(holder->from);
	if (waitpid(holder->pid, &status, 0) != holder->pid)
		tpkg_die("waitpid", strerror(errno));
	close(holder->to);
	return status;
}

static void release_at_warning(void *ctx, const struct cda_event *event)
{
	struct holder *holder = ctx;

	if (event->kind == CDA_EVENT_WARNING && strstr(event->text, "waiting") &&
	    write(holder->to, "x", 1) != 1)
		tpkg_die("holder", "is gone");
}

TEST(a_locked_prefix_is_waited_for)
{
	AUTOTPREFIX struct tprefix t;
	struct cda_err err = {0};
	struct holder holder;
	struct cda_events events = {release_at_warning, &holder};

	tprefix_new(&t);
	tpkg_must(tprefix_run(&t, &err), err);
	holder_new(&t, &holder);
	t.txn.lock_wait_ms = 1;
	tprefix_link(&t, &clob_a);
	CHECK_INT(-tprefix_run(&t, &err), CDA_E_BUSY);
	cda_err_done(&err);
	CHECK(strstr(t.events.p, "waiting"));
	CHECK(!tprefix_has(&t, "share"));
	t.txn.lock_wait_ms = 0;
	t.txn.events = &events;
	tprefix_link(&t, &clob_a);
	CHECK(tprefix_run(&t, &err) >= 0);
	CHECK_INT(holder_end(&holder), 0);
	CHECK(tprefix_has(&t, "share/clob/a"));
}

TEST(a_plan_of_yesterday_is_refused)
{
	AUTOTPREFIX struct tprefix t;
	CDA_AUTOFREE char *before = NULL, *after = NULL;
	struct cda_err err = {0};

	tprefix_new(&t);
	tprefix_link(&t, &tool1);
	tpkg_must(tprefix_run(&t, &err), err);
	before = tprefix_tree(&t);
	/* Removes what is not there; removes another version; installs beside. */
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			tprefix_unlink(&t, &clob_a);
		else if (i == 1)
			tprefix_unlink(&t, &tool2);
		else
			tprefix_link(&t, &tool2);
		CHECK_INT_AT(-tprefix_run(&t, &err), CDA_E_BUSY, "plan %d", i);
		cda_err_done(&err);
	}
	after = tprefix_tree(&t);
	CHECK_STR(after, before);
}

TEST(two_at_once_both_succeed)
{
	AUTOTPREFIX struct tprefix t;
	struct cda_err err = {0};
	int status = -1;
	pid_t pid;

	tprefix_new(&t);
	pid = fork();
	if (pid < 0)
		tpkg_die("fork", strerror(errno));
	tprefix_link(&t, pid == 0 ? &clob_a : &script_pkg);
	if (pid == 0)
		_exit(tprefix_run(&t, &err) < 0);
	CHECK(tprefix_run(&t, &err) >= 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
	CHECK(tprefix_has(&t, "conda-meta/clob-a-1-0.json"));
	CHECK(tprefix_has(&t, "conda-meta/s-1.5-0.json"));
	CDA_AUTOFREE char *text = tprefix_read(&t, "conda-meta/history");
	CHECK(text && strstr(text, "+chan/linux-64::clob-a-1-0") &&
	      strstr(text, "+chan/linux-64::s-1.5-0"));
}

TEST(a_prefix_of_others_is_not_written)
{
	AUTOTPREFIX struct tprefix t;
	struct cda_err err = {0};
	int status = -1;
	pid_t pid;

	tprefix_new(&t);
	tpkg_must(tprefix_run(&t, &err), err);
	tprefix_link(&t, &clob_a);
	if (geteuid() != 0)
		SKIP("only root can become someone else");
	pid = fork();
	if (pid == 0) {
		if (chmod(t.scratch.dir, 0755) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
			_exit(100);
		_exit(-cda_txn_run(&t.txn, &err));
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	CHECK_INT(WEXITSTATUS(status), CDA_E_UNWRITABLE);
}

TEST(soft_links_and_copies_on_request)
{
	AUTOTPREFIX struct tprefix t;
	CDA_CLEANUP(cda_meta_freep) struct cda_meta *meta = NULL;
	CDA_AUTOFREE char *tree = NULL, *line = NULL;
	const struct cda_installed *tool;
	struct cda_err err = {0};

	tprefix_new(&t);
	t.txn.always_softlink = true;
	tprefix_link(&t, &tool2);
	REQUIRE(tprefix_run(&t, &err) >= 0);
	tree = tprefix_tree(&t);
	line = cda_asprintf("share/tool/common -> %s/tool-2.0-0/share/tool/common\n", t.pkgs);
	CHECK(strstr(tree, line));
	REQUIRE(cda_meta_load(t.prefix, NULL, CDA_META_FILES, &meta, &err) >= 0);
	tool = cda_meta_find(meta, "tool");
	CHECK_INT(tool->link_type, CDA_LINK_SOFT);
	CHECK_INT(tool->paths[0].kind, CDA_META_HARDLINK);
	CHECK_INT(tool->paths[1].kind, CDA_META_SOFTLINK);
	CHECK(!tool->paths[1].sha256_in_prefix);
	tprefix_unlink(&t, &tool2);
	t.txn.always_softlink = false;
	t.txn.always_copy = true;
	tprefix_link(&t, &tool2);
	REQUIRE(tprefix_run(&t, &err) >= 0);
	meta = cda_meta_free(meta);
	REQUIRE(cda_meta_load(t.prefix, NULL, 0, &meta, &err) >= 0);
	CHECK_INT(cda_meta_find(meta, "tool")->link_type, CDA_LINK_COPY);
	cda_replace(&tree, tprefix_read(&t, "share/tool/common"));
	CHECK_STR(tree, "v2");
}
