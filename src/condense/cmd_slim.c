#include "condense/cmds.h"
#include "condense/signals.h"
#include "image/slim.h"
#include "util/fs.h"
#include "util/json.h"
#include "util/str.h"

#include <stdio.h>

struct opts {
	const char *subtree;
	struct cda_strv rules, skip, keep, keep_from;
	bool dry_run, json, list, quiet;
};

/* The rules are told under the option that names them. */
#define RULE_LINE(id, name, on, help) "\n                             " name ": " help

static const struct cda_option options[] = {
	OPTION_BOOL("dry-run", struct opts, dry_run, "print what would go, change nothing"),
	OPTION_LIST("rules", struct opts, rules, "NAMES",
		    "these rules alone; +NAME: the usual ones and this" CDA_SLIM_RULES(RULE_LINE)),
	OPTION_LIST("skip", struct opts, skip, "NAMES", "without these rules"),
	OPTION_LIST("keep", struct opts, keep, "PATTERN",
		    "leave what this means: a name anywhere, or a path; repeat it"),
	OPTION_LIST("keep-from", struct opts, keep_from, "FILE", "patterns, one a line"),
	OPTION_STR("subtree", struct opts, subtree, "DIR", "work below this folder of ROOT alone"),
	OPTION_BOOL("list", struct opts, list, "name every file"),
	OPTION_BOOL("json", struct opts, json, "the result as JSON"),
	OPTION_BOOL("quiet", struct opts, quiet, "no result, errors alone"),
	OPTION_END(),
};

static void on_event(void *ctx, const struct cda_event *event)
{
	(void)ctx;
	if (event->kind == CDA_EVENT_PHASE)
		fprintf(stderr, "slim: %s\n", event->text);
}

static int rule_bit(const char *name, unsigned *bit, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv known = {0};
	CDA_AUTOFREE char *names = NULL;

	for (size_t i = 0; i < CDA_SLIM_COUNT; i++) {
		if (cda_streq(cda_slim_rules[i].name, name)) {
			*bit = 1u << i;
			return 0;
		}
		cda_strv_push(&known, cda_slim_rules[i].name);
	}
	names = cda_strv_join(&known, ", ");
	cda_err_set(err, CDA_E_USAGE, "'%s' is no rule of 'slim'", name);
	return cda_err_hint(err, "the rules are: %s", names);
}

static unsigned usual_rules(void)
{
	unsigned bits = 0;

	for (size_t i = 0; i < CDA_SLIM_COUNT; i++)
		bits |= cda_slim_rules[i].is_default ? 1u << i : 0;
	return bits;
}

static int choose_rules(const struct opts *opts, unsigned *ret, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv want = {0}, skip = {0};
	unsigned bits = usual_rules(), bit = 0;
	bool alone = false;
	int rc;

	for (size_t i = 0; i < opts->rules.n; i++)
		cda_strv_split(&want, opts->rules.v[i], ",");
	for (size_t i = 0; i < opts->skip.n; i++)
		cda_strv_split(&skip, opts->skip.v[i], ",");
	for (size_t i = 0; i < want.n; i++)
		alone = alone || want.v[i][0] != '+';
	if (alone)
		bits = 0;
	for (size_t i = 0; i < want.n; i++) {
		rc = rule_bit(want.v[i] + (want.v[i][0] == '+'), &bit, err);
		if (rc < 0)
			return rc;
		bits |= bit;
	}
	for (size_t i = 0; i < skip.n; i++) {
		rc = rule_bit(skip.v[i], &bit, err);
		if (rc < 0)
			return rc;
		bits &= ~bit;
	}
	*ret = bits;
	return 0;
}

static int read_patterns(const struct opts *opts, struct cda_strv *keep, struct cda_err *err)
{
	cda_strv_append(keep, &opts->keep);
	for (size_t i = 0; i < opts->keep_from.n; i++) {
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
		struct cda_str rest, line;
		int rc = cda_fs_read(AT_FDCWD, opts->keep_from.v[i], (size_t)16 << 20, &text, err);

		if (rc < 0)
			return rc;
		rest = cda_buf_str(&text);
		while (cda_str_cut(&rest, "\n", &line)) {
			line = cda_str_trim(line);
			if (line.len > 0 && line.p[0] != '#')
				cda_strv_take(keep, cda_str_dup(line));
		}
	}
	return 0;
}

static void print_table(const struct opts *opts, const struct cda_slim_report *report)
{
	uint64_t bytes = 0;
	size_t files = 0;

	for (size_t i = 0; opts->list && i < report->items.n; i++)
		printf("%-10s %12ju  %s\n", cda_slim_rules[report->items.v[i].rule].name,
		       (uintmax_t)report->items.v[i].bytes, report->items.v[i].path);
	if (opts->list && report->items.n > 0)
		putchar('\n');
	printf("%-12s %8s %14s\n", "rule", "files", "bytes saved");
	for (size_t i = 0; i < CDA_SLIM_COUNT; i++) {
		files += report->rules[i].files;
		bytes += report->rules[i].bytes;
		if (cda_slim_rules[i].is_default || report->rules[i].files > 0)
			printf("%-12s %8zu %14ju\n", cda_slim_rules[i].name, report->rules[i].files,
			       (uintmax_t)report->rules[i].bytes);
	}
	printf("%-12s %8zu %14ju\n", opts->dry_run ? "would save" : "saved", files,
	       (uintmax_t)bytes);
	printf("%-12s %8zu %14ju\n", "of", report->files, (uintmax_t)report->bytes);
	for (size_t i = 0; i < report->notes.n; i++)
		printf("kept %s\n", report->notes.v[i]);
}

static void print_json(const struct opts *opts, unsigned rules,
		       const struct cda_slim_report *report)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	yyjson_mut_val *root = yyjson_mut_obj(doc), *list;
	uint64_t bytes = 0;
	size_t files = 0;

	list = yyjson_mut_obj_add_arr(doc, root, "rules");
	for (size_t i = 0; i < CDA_SLIM_COUNT; i++) {
		yyjson_mut_val *rule = yyjson_mut_arr_add_obj(doc, list);

		yyjson_mut_obj_add_str(doc, rule, "name", cda_slim_rules[i].name);
		yyjson_mut_obj_add_bool(doc, rule, "on", rules & 1u << i);
		yyjson_mut_obj_add_uint(doc, rule, "files", report->rules[i].files);
		yyjson_mut_obj_add_uint(doc, rule, "bytes", report->rules[i].bytes);
		files += report->rules[i].files;
		bytes += report->rules[i].bytes;
	}
	yyjson_mut_obj_add_bool(doc, root, "dry_run", opts->dry_run);
	yyjson_mut_obj_add_uint(doc, root, "files", files);
	yyjson_mut_obj_add_uint(doc, root, "bytes", bytes);
	yyjson_mut_obj_add_uint(doc, root, "files_before", report->files);
	yyjson_mut_obj_add_uint(doc, root, "bytes_before", report->bytes);
	cda_json_add_strv(doc, root, "kept", &report->notes);
	if (opts->list) {
		list = yyjson_mut_obj_add_arr(doc, root, "paths");
		cda_vec_each (item, &report->items) {
			yyjson_mut_val *path = yyjson_mut_arr_add_obj(doc, list);

			yyjson_mut_obj_add_str(doc, path, "path", item->path);
			yyjson_mut_obj_add_str(doc, path, "rule", cda_slim_rules[item->rule].name);
			yyjson_mut_obj_add_uint(doc, path, "bytes", item->bytes);
		}
	}
	cda_json_format(root, 2, false, &text);
	puts(text.p);
}

static int run(int argc, char *const *argv, struct cda_err *err)
{
	struct cda_events events = {isatty(STDERR_FILENO) ? on_event : NULL, NULL};
	CDA_AUTOSTRV struct cda_strv rest = {0}, keep = {0};
	struct cda_slim_options slim = {.events = &events, .keep = &keep};
	struct cda_slim_report report = {0};
	struct opts opts = {0};
	CDA_AUTOFREE char *subtree = NULL;
	int rc = cda_option_parse(&cda_condense_slim, argc, argv, &opts, &rest, err);

	if (!rc)
		rc = choose_rules(&opts, &slim.rules, err);
	if (!rc)
		rc = read_patterns(&opts, &keep, err);
	if (!rc && opts.subtree) {
		size_t n = strlen(opts.subtree);

		while (n > 1 && opts.subtree[n - 1] == '/')
			n--;
		subtree = cda_strndup(opts.subtree, n);
		if (!cda_fs_path_is_inside(subtree))
			rc = cda_err_set(err, CDA_E_USAGE,
					 "--subtree wants a folder of ROOT, "
					 "without '..' and a slash in front");
	}
	if (!rc) {
		slim.root = rest.v[0];
		slim.subtree = subtree;
		slim.dry_run = opts.dry_run;
		cda_condense_catch_signals();
		rc = cda_slim_run(&slim, &report, err);
	}
	if (!rc && opts.json)
		print_json(&opts, slim.rules, &report);
	else if (!rc && !opts.quiet)
		print_table(&opts, &report);
	cda_slim_report_done(&report);
	cda_strv_done(&opts.rules);
	cda_strv_done(&opts.skip);
	cda_strv_done(&opts.keep);
	cda_strv_done(&opts.keep_from);
	return rc;
}

const struct cda_command cda_condense_slim = {
	"slim",
	"[--dry-run] [--rules NAMES] [--skip NAMES] [--keep PATTERN]... ROOT",
	"take what an image does not need from a root file system or an environment",
	options,
	1,
	1,
	run};
