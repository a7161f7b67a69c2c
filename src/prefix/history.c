#include "prefix/history.h"

#include "core/matchspec.h"
#include "util/fs.h"
#include "util/map.h"

#include <time.h>

enum { history_max = 256 * 1024 * 1024 };

static void entry_done(struct cda_history_entry *entry)
{
	free((char *)(uintptr_t)entry->date);
	free((char *)(uintptr_t)entry->cmd);
	free((char *)(uintptr_t)entry->conda_version);
	cda_strv_done(&entry->diff);
	cda_strv_done(&entry->update_specs);
	cda_strv_done(&entry->remove_specs);
	cda_strv_done(&entry->neutered_specs);
}

void cda_history_done(struct cda_history *history)
{
	cda_vec_each (entry, &history->entries)
		entry_done(entry);
	cda_history_entries_done(&history->entries);
}

static void set_text(const char **field, struct cda_str value)
{
	free((char *)(uintptr_t)*field);
	*field = cda_str_dup(value);
}

static bool cut_prefix(struct cda_str *line, struct cda_str prefix)
{
	if (line->len < prefix.len || memcmp(line->p, prefix.p, prefix.len) != 0)
		return false;
	*line = cda_str_trim((struct cda_str){line->p + prefix.len, line->len - prefix.len});
	return true;
}

/* One quoted item of a Python list, from its quote on; what is behind it stays in *rest. */
static void quoted_item(struct cda_str *rest, struct cda_buf *item)
{
	char quote = rest->p[0];
	size_t i = 1;

	for (; i < rest->len && rest->p[i] != quote; i++) {
		if (rest->p[i] == '\\' && i + 1 < rest->len)
			i++;
		cda_buf_addc(item, rest->p[i]);
	}
	i = i < rest->len ? i + 1 : i;
	*rest = (struct cda_str){rest->p + i, rest->len - i};
}

/* ['a', "b"] or [u'a'] as Python's repr, or JSON: the quoted texts in it. */
static void list_specs(struct cda_str text, struct cda_strv *specs)
{
	while (text.len > 0 && text.p[0] != ']') {
		CDA_AUTOBUF struct cda_buf item = CDA_BUF_INIT;

		if (text.p[0] != '\'' && text.p[0] != '"') {
			text = (struct cda_str){text.p + 1, text.len - 1};
			continue;
		}
		quoted_item(&text, &item);
		if (item.len > 0)
			cda_strv_push(specs, item.p);
	}
}

/* conda 4.0: "numpy >=1.7,<2,python". A piece that begins like a version belongs to the spec before
 * it. */
static void comma_specs(struct cda_str text, struct cda_strv *specs)
{
	struct cda_str piece;

	while (cda_str_cut(&text, ",", &piece)) {
		piece = cda_str_trim(piece);
		if (piece.len == 0)
			continue;
		if (specs->n > 0 && memchr("<>=!~", piece.p[0], 5)) {
			char *last = specs->v[specs->n - 1];

			specs->v[specs->n - 1] =
				cda_asprintf("%s," CDA_STR_FMT, last, CDA_STR_ARG(piece));
			free(last);
			continue;
		}
		cda_strv_take(specs, cda_str_dup(piece));
	}
}

static bool is_action(struct cda_str action, const char *const *names)
{
	for (; *names; names++)
		if (cda_str_eq(action, cda_str(*names)))
			return true;
	return false;
}

static void parse_comment(struct cda_str line, struct cda_history_entry *entry)
{
	static const char *const updates[] = {"update", "install", "create", NULL};
	static const char *const removes[] = {"remove", "uninstall", NULL};
	static const char *const neuters[] = {"neutered", NULL};
	struct cda_strv *specs = NULL;
	struct cda_str action = {line.p, 0}, rest;

	if (cut_prefix(&line, CDA_STR("cmd:"))) {
		set_text(&entry->cmd, line);
		return;
	}
	if (cut_prefix(&line, CDA_STR("conda version:"))) {
		set_text(&entry->conda_version, line);
		return;
	}
	while (action.len < line.len && cda_is_alnum(line.p[action.len]))
		action.len++;
	rest = cda_str_trim((struct cda_str){line.p + action.len, line.len - action.len});
	if (!cut_prefix(&rest, CDA_STR("specs:")))
		return;
	if (is_action(action, updates))
		specs = &entry->update_specs;
	else if (is_action(action, removes))
		specs = &entry->remove_specs;
	else if (is_action(action, neuters))
		specs = &entry->neutered_specs;
	if (specs && rest.len > 0 && rest.p[0] == '[')
		list_specs(rest, specs);
	else if (specs)
		comma_specs(rest, specs);
}

/* The date of "==> date <==", or false. */
static bool is_head(struct cda_str line, struct cda_str *ret_date)
{
	const char *end;

	if (!cut_prefix(&line, CDA_STR("==>")))
		return false;
	end = memmem(line.p, line.len, "<==", 3);
	if (!end || end == line.p)
		return false;
	*ret_date = cda_str_trim((struct cda_str){line.p, (size_t)(end - line.p)});
	return true;
}

void cda_history_parse(const char *text, size_t len, struct cda_history *ret)
{
	struct cda_str rest = {text, len}, line, date;
	struct cda_history_entry *entry = NULL;

	*ret = (struct cda_history){0};
	while (cda_str_cut(&rest, "\n", &line)) {
		line = cda_str_trim(line);
		if (line.len == 0 || memchr(line.p, '\0', line.len))
			continue;
		if (is_head(line, &date)) {
			entry = cda_history_entries_push(&ret->entries,
							 (struct cda_history_entry){0});
			set_text(&entry->date, date);
		} else if (entry && line.p[0] == '#') {
			parse_comment(cda_str_trim((struct cda_str){line.p + 1, line.len - 1}),
				      entry);
		} else if (entry) {
			cda_strv_take(&entry->diff, cda_str_dup(line));
		}
	}
}

int cda_history_load(const char *prefix, struct cda_history *ret, struct cda_err *err)
{
	CDA_AUTOFREE char *path = cda_path_join(prefix, "conda-meta/history");
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int rc = 0;

	if (cda_fs_exists(AT_FDCWD, path))
		rc = cda_fs_read(AT_FDCWD, path, history_max, &text, err);
	if (rc >= 0)
		cda_history_parse(text.p, text.len, ret);
	return rc;
}

struct requested {          /* in order of first request; a removed one keeps its place, empty */
	struct cda_map *at; /* name -> index + 1 */
	struct cda_strv names, specs;
};

static void request(struct requested *requested, const struct cda_channel_config *config,
		    const struct cda_strv *specs, bool remove)
{
	for (size_t i = 0; i < specs->n; i++) {
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = NULL;
		struct cda_err err = {0};
		const char *name;
		size_t at;

		if (cda_matchspec_parse(config, specs->v[i], &spec, &err) < 0) {
			cda_err_done(&err);
			continue;
		}
		name = cda_matchspec_name(spec);
		if (!name || strcmp(name, "*") == 0)
			continue;
		at = (size_t)(uintptr_t)cda_map_get(requested->at, name);
		if (at == 0 && !remove) {
			cda_strv_push(&requested->names, name);
			cda_strv_push(&requested->specs, specs->v[i]);
			cda_map_set(requested->at, name, (void *)(uintptr_t)requested->names.n);
		} else if (at != 0) {
			cda_replace(&requested->specs.v[at - 1],
				    cda_strdup(remove ? "" : specs->v[i]));
		}
	}
}

void cda_history_requested(const struct cda_history *history,
			   const struct cda_channel_config *config, struct cda_strv *ret_names,
			   struct cda_strv *ret_specs)
{
	struct requested requested = {.at = cda_map_new()};

	for (size_t i = 0; i < history->entries.n; i++) {
		const struct cda_history_entry *entry = &history->entries.v[i];

		/* Only what a command asked for counts, not what someone wrote between. */
		if (!entry->cmd)
			continue;
		request(&requested, config, &entry->remove_specs, true);
		request(&requested, config, &entry->update_specs, false);
		request(&requested, config, &entry->neutered_specs, false);
	}
	for (size_t i = 0; i < requested.names.n; i++) {
		if (!*requested.specs.v[i])
			continue;
		if (ret_names)
			cda_strv_push(ret_names, requested.names.v[i]);
		cda_strv_push(ret_specs, requested.specs.v[i]);
	}
	cda_strv_done(&requested.names);
	cda_strv_done(&requested.specs);
	cda_map_free(requested.at);
}

static bool is_diff(const struct cda_strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->v[i][0] == '+' || lines->v[i][0] == '-')
			return true;
	return lines->n == 0;
}

bool cda_history_state(const struct cda_history *history, size_t rev, struct cda_strv *ret_dists)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *set = cda_map_new();
	const char *dist;
	void *value;
	size_t at = 0;

	if (rev >= history->entries.n)
		return false;
	for (size_t i = 0; i <= rev; i++) {
		const struct cda_strv *lines = &history->entries.v[i].diff;
		bool diff = is_diff(lines);

		if (!diff) {
			cda_map_free(set);
			set = cda_map_new();
		}
		for (size_t k = 0; k < lines->n; k++) {
			const char *line = lines->v[k];

			if (!diff)
				cda_map_set(set, line, set);
			else if (line[0] == '+' && line[1])
				cda_map_set(set, line + 1, set);
			else if (line[0] == '-')
				cda_map_remove(set, line + 1);
		}
	}
	while (cda_map_next(set, &at, &dist, &value))
		cda_strv_push(ret_dists, dist);
	cda_strv_sort(ret_dists);
	return true;
}

bool cda_history_dist(struct cda_arena *arena, const char *dist, struct cda_record *ret)
{
	const char *name = strstr(dist, "::"), *channel = NULL, *subdir = NULL, *slash;
	char *stem;

	if (name) {
		CDA_AUTOFREE char *head = cda_strndup(dist, (size_t)(name - dist));

		slash = strrchr(head, '/');
		if (slash && slash > head && slash[1]) {
			channel = cda_arena_strndup(arena, head, (size_t)(slash - head));
			subdir = cda_arena_strdup(arena, slash + 1);
		} else {
			channel = cda_arena_strdup(arena, head);
		}
		name += 2;
	} else {
		name = dist;
	}
	/* Without an ending the parts are the same; give it one that it is known by. */
	stem = cda_arena_strdup(arena, name);
	if (!cda_ends_with(stem, ".conda") && !cda_ends_with(stem, ".tar.bz2"))
		stem = cda_arena_printf(arena, "%s.conda", stem);
	*ret = (struct cda_record){0};
	if (!cda_record_from_fn(arena, stem, ret))
		return false;
	ret->channel_name = channel;
	ret->subdir = subdir;
	return true;
}

/* A list of str as Python's repr writes it. */
static void format_specs(const char *action, const struct cda_strv *specs, struct cda_buf *out)
{
	if (!specs || specs->n == 0)
		return;
	cda_buf_addf(out, "# %s specs: [", action);
	for (size_t i = 0; i < specs->n; i++) {
		const char *p = specs->v[i];
		char quote = strchr(p, '\'') && !strchr(p, '"') ? '"' : '\'';

		cda_buf_addf(out, "%s%c", i == 0 ? "" : ", ", quote);
		for (; *p; p++) {
			if (*p == '\\' || *p == quote)
				cda_buf_addc(out, '\\');
			cda_buf_addc(out, *p == '\n' || *p == '\r' ? ' ' : *p);
		}
		cda_buf_addc(out, quote);
	}
	cda_buf_adds(out, "]\n");
}

static void format_diff(char sign, const struct cda_strv *have, const struct cda_strv *lack,
			struct cda_buf *out)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *known = cda_map_new();
	CDA_AUTOSTRV struct cda_strv lines = {0};

	for (size_t i = 0; i < lack->n; i++)
		cda_map_set(known, lack->v[i], known);
	for (size_t i = 0; i < have->n; i++)
		if (!cda_map_has(known, have->v[i]))
			cda_strv_push(&lines, have->v[i]);
	cda_strv_sort(&lines);
	cda_strv_uniq(&lines);
	for (size_t i = 0; i < lines.n; i++)
		cda_buf_addf(out, "%c%s\n", sign, lines.v[i]);
}

static void format_line(const char *head, const char *text, struct cda_buf *out)
{
	cda_buf_adds(out, head);
	for (; *text; text++)
		cda_buf_addc(out, *text == '\n' || *text == '\r' ? ' ' : *text);
	cda_buf_addc(out, '\n');
}

void cda_history_format(const struct cda_history_change *change, const struct cda_strv *before,
			const struct cda_strv *after, struct cda_buf *out)
{
	time_t now = time(NULL);
	char date[64] = "";
	struct tm local;

	if (!change->date && localtime_r(&now, &local))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
	cda_buf_addf(out, "==> %s <==\n", change->date ? change->date : date);
	format_line("# cmd: ", change->cmd ? change->cmd : "", out);
	format_line("# conda version: ", change->conda_version ? change->conda_version : "", out);
	format_diff('-', before, after, out);
	format_diff('+', after, before, out);
	format_specs("remove", change->remove_specs, out);
	format_specs("update", change->update_specs, out);
	format_specs("neutered", change->neutered_specs, out);
}
