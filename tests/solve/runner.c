/* runner.c - solver cases as data, solved in-process; TAP. runner FILE.spec…
 *
 *	# what the case is about
 *	channel NAME               records of the channel, the first channel has priority:
 *	  NAME VERSION BUILD [noarch] [: DEPENDENCY; …] [! CONSTRAINT; …]
 *	installed                  NAME VERSION BUILD, of any channel
 *	history | pinned           a spec by line
 *	virtual                    NAME VERSION
 *	request                    COMMAND [--flag…] SPEC…, a spec has no blanks
 *	expect                     nothing | error ID [TEXT IN THE MESSAGE], or the plan in order:
 *	  - NAME VERSION BUILD
 *	  + NAME VERSION BUILD
 */
#include "solve/solve.h"
#include "solve/virtpkg.h"
#include "util/arena.h"
#include "util/fs.h"
#include "util/str.h"

#include <string.h>

struct spec_case {
	struct cda_arena *arena;
	struct cda_channel_config config;
	struct cda_solve_request request;
	struct cda_strv expect;
	char *section, *word; /* "channel", its name */
	int channels;
	const char *bad; /* why the file is none */
};

/* The next word of *rest; "" at the end. Into the arena. */
static char *word(struct spec_case *c, struct cda_str *rest)
{
	struct cda_str piece;

	*rest = cda_str_trim(*rest);
	if (!cda_str_cut(rest, " \t", &piece))
		return cda_arena_strdup(c->arena, "");
	return cda_arena_strndup(c->arena, piece.p, piece.len);
}

static struct cda_texts list(struct spec_case *c, struct cda_str text)
{
	const char **v = cda_arena_alloc0(c->arena, text.len + 1, sizeof(*v));
	struct cda_str piece;
	size_t n = 0;

	while (cda_str_cut(&text, ";", &piece)) {
		piece = cda_str_trim(piece);
		v[n++] = cda_arena_strndup(c->arena, piece.p, piece.len);
	}
	return (struct cda_texts){v, n};
}

static void add_record(struct spec_case *c, struct cda_str line)
{
	struct cda_record *record = cda_arena_alloc0(c->arena, 1, sizeof(*record));
	const char *deps = memchr(line.p, ':', line.len), *cons = memchr(line.p, '!', line.len);
	const char *end = line.p + line.len, *last, *mark;
	struct cda_str head = line;
	int64_t number = 0;

	if (deps && cons && deps > cons)
		c->bad = "constraints come last";
	if (cons)
		record->constrains = list(c, (struct cda_str){cons + 1, (size_t)(end - cons - 1)});
	last = cons ? cons : end;
	if (deps)
		record->depends = list(c, (struct cda_str){deps + 1, (size_t)(last - deps - 1)});
	head.len = (size_t)((deps ? deps : last) - line.p);
	record->name = word(c, &head);
	record->version = word(c, &head);
	record->build = word(c, &head);
	mark = strrchr(record->build, '_');
	if (cda_parse_int(mark ? mark + 1 : record->build, 0, 1000000, &number))
		record->build_number = number;
	record->channel = record->channel_name = c->word;
	record->noarch =
		strcmp(word(c, &head), "noarch") == 0 ? CDA_NOARCH_PYTHON : CDA_NOARCH_NONE;
	record->subdir = record->noarch ? "noarch" : "linux-64";
	record->fn = cda_arena_printf(c->arena, "%s-%s-%s.conda", record->name, record->version,
				      record->build);
	record->priority = c->channels - 1;
	cda_records_push(&c->request.index, record);
}

static void add_installed(struct spec_case *c, struct cda_str line)
{
	const char *name = word(c, &line), *version = word(c, &line), *build = word(c, &line);

	cda_vec_each (record, &c->request.index)
		if (strcmp((*record)->name, name) == 0 &&
		    strcmp((*record)->version, version) == 0 &&
		    strcmp((*record)->build, build) == 0) {
			cda_records_push(&c->request.installed, *record);
			return;
		}
	c->bad = "an installed package is in no channel";
}

static void set_flag(struct spec_case *c, const char *flag)
{
	struct cda_solve_request *request = &c->request;

	if (strcmp(flag, "--update-deps") == 0)
		request->update = CDA_UPDATE_DEPS;
	else if (strcmp(flag, "--satisfied-skip-solve") == 0)
		request->update = CDA_SPECS_SATISFIED_SKIP;
	else if (strcmp(flag, "--no-deps") == 0)
		request->deps = CDA_DEPS_NONE;
	else if (strcmp(flag, "--only-deps") == 0)
		request->deps = CDA_DEPS_ONLY;
	else if (strcmp(flag, "--no-pin") == 0)
		request->ignore_pinned = true;
	else if (strcmp(flag, "--force-reinstall") == 0)
		request->force_reinstall = true;
	else if (strcmp(flag, "--force-remove") == 0)
		request->force_remove = true;
	else if (strcmp(flag, "--strict") == 0)
		request->channel_priority = CDA_PRIORITY_STRICT;
	else if (strcmp(flag, "--no-priority") == 0)
		request->channel_priority = CDA_PRIORITY_DISABLED;
	else
		c->bad = "no such flag";
}

static void set_request(struct spec_case *c, struct cda_str line)
{
	static const char *const commands[] = {"create", "install", "update", "update-all",
					       "remove"};
	const char *command = word(c, &line), *text;
	size_t i = 0;

	while (i < CDA_LEN(commands) && strcmp(command, commands[i]) != 0)
		i++;
	if (i == CDA_LEN(commands))
		c->bad = "no such command";
	c->request.command = (enum cda_solve_command)i;
	while (*(text = word(c, &line))) {
		struct cda_matchspec *spec = NULL;
		struct cda_err err = {0};

		if (cda_starts_with(text, "--"))
			set_flag(c, text);
		else if (cda_matchspec_parse(&c->config, text, &spec, &err) == 0)
			cda_matchspecs_push(&c->request.specs, spec);
		else
			c->bad = "a request is no spec";
		cda_err_done(&err);
	}
}

static void section_line(struct spec_case *c, struct cda_str line)
{
	CDA_AUTOFREE char *text = cda_str_dup(line);
	const char *section = c->section ? c->section : "";

	if (strcmp(section, "channel") == 0) {
		add_record(c, line);
	} else if (strcmp(section, "installed") == 0) {
		add_installed(c, line);
	} else if (strcmp(section, "history") == 0) {
		cda_strv_push(&c->request.history, text);
	} else if (strcmp(section, "pinned") == 0) {
		cda_strv_push(&c->request.pinned, text);
	} else if (strcmp(section, "aggressive") == 0) {
		cda_strv_push(&c->request.aggressive_updates, text);
	} else if (strcmp(section, "virtual") == 0) {
		const char *name = word(c, &line), *version = word(c, &line);

		cda_records_push(&c->request.virtual_pkgs,
				 cda_virtpkg_record(c->arena, name, version, "0"));
	} else if (strcmp(section, "request") == 0) {
		set_request(c, line);
	} else if (strcmp(section, "expect") == 0) {
		cda_strv_push(&c->expect, text);
	} else {
		c->bad = "no such section";
	}
}

static void parse(struct spec_case *c, struct cda_str text)
{
	struct cda_str line;

	while (cda_str_cut(&text, "\n", &line)) {
		bool indented = line.len > 0 && cda_is_space(line.p[0]);
		struct cda_str trimmed = cda_str_trim(line);

		if (trimmed.len == 0 || trimmed.p[0] == '#')
			continue;
		if (indented) {
			section_line(c, trimmed);
			continue;
		}
		c->section = word(c, &trimmed);
		c->word = word(c, &trimmed);
		c->channels += strcmp(c->section, "channel") == 0;
	}
	if (c->expect.n == 0)
		c->bad = "it expects nothing: write 'nothing'";
}

static void add_plan(const struct cda_records *records, char sign, struct cda_strv *out)
{
	for (size_t i = 0; i < records->n; i++)
		cda_strv_pushf(out, "%c %s %s %s", sign, records->v[i]->name,
			       records->v[i]->version, records->v[i]->build);
}

static bool error_fits(const struct spec_case *c, const struct cda_err *err)
{
	struct cda_str line = cda_str(c->expect.v[0]), piece;
	CDA_AUTOFREE char *id = NULL, *part = NULL;

	if (!cda_str_cut(&line, " ", &piece) || !cda_str_eq(piece, CDA_STR("error")) ||
	    !cda_str_cut(&line, " ", &piece))
		return false;
	id = cda_str_dup(piece);
	part = cda_str_dup(line);
	return strcmp(id, cda_err_id(err->code)) == 0 &&
	       (strstr(err->msg, part) || (err->hint && strstr(err->hint, part)));
}

static bool run(struct spec_case *c)
{
	CDA_CLEANUP(cda_plan_done) struct cda_plan plan = {0};
	CDA_AUTOSTRV struct cda_strv got = {0};
	CDA_AUTOFREE char *have = NULL, *want = NULL;
	struct cda_err err = {0};
	bool ok;

	c->request.channels = &c->config;
	if (cda_solve(&c->request, &plan, &err) < 0) {
		ok = error_fits(c, &err);
		if (!ok)
			printf("# got error %s %s %s\n", cda_err_id(err.code), err.msg,
			       err.hint ? err.hint : "");
		cda_err_done(&err);
		return ok;
	}
	add_plan(&plan.unlink, '-', &got);
	add_plan(&plan.link, '+', &got);
	if (got.n == 0)
		cda_strv_push(&got, "nothing");
	have = cda_strv_join(&got, "\n#\t");
	want = cda_strv_join(&c->expect, "\n#\t");
	ok = strcmp(have, want) == 0;
	if (!ok)
		printf("# got\n#\t%s\n# want\n#\t%s\n", have, want);
	return ok;
}

static void done(struct spec_case *c)
{
	cda_matchspecs_free_all(&c->request.specs);
	cda_records_done(&c->request.installed);
	cda_records_done(&c->request.index);
	cda_records_done(&c->request.virtual_pkgs);
	cda_strv_done(&c->request.history);
	cda_strv_done(&c->request.pinned);
	cda_strv_done(&c->request.aggressive_updates);
	cda_strv_done(&c->expect);
	cda_arena_free(c->arena);
}

static bool run_file(const char *path)
{
	CDA_CLEANUP(done) struct spec_case c = {.arena = cda_arena_new()};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};

	if (cda_fs_read(AT_FDCWD, path, 1 << 20, &text, &err) < 0) {
		printf("# %s\n", err.msg);
		cda_err_done(&err);
		return false;
	}
	parse(&c, cda_buf_str(&text));
	if (c.bad) {
		printf("# %s: %s\n", path, c.bad);
		return false;
	}
	return run(&c);
}

int main(int argc, char **argv)
{
	int failed = 0;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		bool ok = run_file(argv[i]);

		printf("%sok %d - %s\n", ok ? "" : "not ", i, cda_path_basename(argv[i]));
		fflush(stdout);
		failed += !ok;
	}
	return failed > 0;
}
