#include "forge/recipe.h"
#include "util/buf.h"
#include "util/fs.h"
#include "util/str.h"

#define RECIPE_MAX (1u << 20)

static const struct {
	const char *word;
	enum cda_step_kind kind;
	size_t min, max;
} step_words[] = {
	{"tree", CDA_STEP_TREE, 2, 2},       {"take", CDA_STEP_TAKE, 2, 2},
	{"copy", CDA_STEP_COPY, 2, 3},       {"unzip", CDA_STEP_UNZIP, 2, 2},
	{"zip", CDA_STEP_ZIP, 3, 3},         {"drop", CDA_STEP_DROP, 1, 1000},
	{"link", CDA_STEP_LINK, 2, 2},       {"write", CDA_STEP_WRITE, 1, 2},
	{"sub", CDA_STEP_SUB, 3, 3},         {"cut", CDA_STEP_CUT, 3, 3},
	{"concat", CDA_STEP_CONCAT, 2, 2},   {"distinfo", CDA_STEP_DISTINFO, 1, 1},
	{"hide", CDA_STEP_HIDE, 2, 2},       {"answer", CDA_STEP_ANSWER, 3, 3},
	{"compile", CDA_STEP_COMPILE, 1, 1},
};

struct parse {
	const char *source;
	int line;
	const struct cda_map *vars;
	struct cda_recipes *list;
	struct cda_recipe *now;
	struct cda_buf text, write; /* of the package, and of its last `write` */
	struct cda_err *err;
};

static int bad(const struct parse *p, const char *what, const char *word)
{
	return cda_err_set(p->err, CDA_E_PARSE, "%s:%d: %s '%s'", p->source, p->line, what, word);
}

/* line with every ${NAME} put in. */
static int expand(const struct parse *p, struct cda_str line, struct cda_buf *out)
{
	for (size_t i = 0; i < line.len; i++) {
		const char *end;
		const char *value;
		size_t n;

		if (line.p[i] != '$' || i + 1 >= line.len || line.p[i + 1] != '{') {
			cda_buf_addc(out, line.p[i]);
			continue;
		}
		end = memchr(line.p + i, '}', line.len - i);
		n = end ? (size_t)(end - line.p) - i - 2 : 0;
		value = end ? cda_map_getn(p->vars, line.p + i + 2, n) : NULL;
		if (!value)
			return cda_err_set(p->err, CDA_E_PARSE, "%s:%d: unknown variable '%.*s'",
					   p->source, p->line, (int)n, line.p + i + 2);
		cda_buf_adds(out, value);
		i += n + 2;
	}
	return 0;
}

static int split_words(const struct parse *p, const char *line, struct cda_strv *words)
{
	const char *c = line;

	for (;;) {
		size_t n;

		while (*c == ' ' || *c == '\t')
			c++;
		if (!*c)
			return 0;
		if (*c == '\'' || *c == '"') {
			const char *end = strchr(c + 1, *c);

			if (!end)
				return bad(p, "no end of the quoted text", c);
			cda_strv_take(words, cda_strndup(c + 1, (size_t)(end - c) - 1));
			c = end + 1;
			if (*c && *c != ' ' && *c != '\t')
				return bad(p, "no blank after the quoted text", c);
			continue;
		}
		n = strcspn(c, " \t");
		cda_strv_take(words, cda_strndup(c, n));
		c += n;
	}
}

static bool is_name(const char *s)
{
	if (!*s || *s == '.' || *s == '-')
		return false;
	for (; *s; s++)
		if (!cda_is_digit(*s) && !(*s >= 'a' && *s <= 'z') && !strchr("_.-", *s))
			return false;
	return true;
}

static void end_write(struct parse *p)
{
	struct cda_steps *steps = p->now ? &p->now->steps : NULL;

	if (!steps || !steps->n || steps->v[steps->n - 1].kind != CDA_STEP_WRITE ||
	    steps->v[steps->n - 1].text)
		return;
	steps->v[steps->n - 1].text = cda_buf_take(&p->write);
	cda_buf_clear(&p->write);
}

static int end_package(struct parse *p)
{
	struct cda_recipe *r = p->now;
	int line = p->line, rc = 0;

	end_write(p);
	if (!r)
		return 0;
	p->now = NULL;
	r->text = cda_buf_take(&p->text);
	cda_buf_clear(&p->text);
	p->line = r->line; /* what is missing is missing from the whole package */
	if (!r->version && !r->version_deb)
		rc = bad(p, "no version for the package", r->name);
	else if (r->version_deb && !cda_strv_has(&r->debs, r->version_deb))
		rc = bad(p, "version of a package that is not in debs:", r->version_deb);
	else if (!r->license || !r->summary)
		rc = bad(p, "no license or no summary for the package", r->name);
	p->line = line;
	return rc;
}

static int begin_package(struct parse *p, const struct cda_strv *words)
{
	struct cda_recipe recipe = {0};
	int rc = end_package(p);

	if (rc)
		return rc;
	if (words->n != 2 || !is_name(words->v[1]))
		return bad(p, "no good package name in", words->n > 1 ? words->v[1] : "package");
	if (cda_recipe_find(p->list, words->v[1]))
		return bad(p, "a second package", words->v[1]);
	recipe.name = cda_strdup(words->v[1]);
	recipe.source = cda_strdup(p->source);
	recipe.line = p->line;
	p->now = cda_recipes_push(p->list, recipe);
	return 0;
}

static int do_version(struct parse *p, const struct cda_strv *words)
{
	if (p->now->version || p->now->version_deb)
		return bad(p, "a second version:", words->v[1]);
	if (words->n == 3 && cda_streq(words->v[1], "=")) {
		p->now->version = cda_strdup(words->v[2]);
		return 0;
	}
	if (words->n > 3 || (words->n == 3 && !cda_streq(words->v[2], "date")))
		return bad(p, "wrong rule of a version:", words->v[2]);
	p->now->version_deb = cda_strdup(words->v[1]);
	p->now->version_is_date = words->n == 3;
	return 0;
}

static int do_step(struct parse *p, struct cda_strv *words)
{
	for (size_t i = 0; i < CDA_LEN(step_words); i++) {
		struct cda_step step = {.kind = step_words[i].kind, .line = p->line};

		if (!cda_streq(step_words[i].word, words->v[0]))
			continue;
		if (words->n - 1 < step_words[i].min || words->n - 1 > step_words[i].max)
			return bad(p, "wrong number of arguments for", words->v[0]);
		for (size_t k = 1; k < words->n; k++)
			cda_strv_push(&step.args, words->v[k]);
		cda_steps_push(&p->now->steps, step);
		return 0;
	}
	return bad(p, "unknown statement", words->v[0]);
}

static char **text_field(struct cda_recipe *r, const char *word)
{
	const struct {
		const char *word;
		char **field;
	} fields[] = {{"build", &r->build},    {"tag", &r->tag},   {"license", &r->license},
		      {"family", &r->family},  {"home", &r->home}, {"noarch", &r->noarch},
		      {"summary", &r->summary}};

	for (size_t i = 0; i < CDA_LEN(fields); i++)
		if (cda_streq(fields[i].word, word))
			return fields[i].field;
	return NULL;
}

static struct cda_strv *list_field(struct cda_recipe *r, const char *word)
{
	if (cda_streq(word, "debs"))
		return &r->debs;
	if (cda_streq(word, "with"))
		return &r->with;
	if (cda_streq(word, "outside"))
		return &r->outside;
	return NULL;
}

static int do_statement(struct parse *p, struct cda_strv *words)
{
	const char *word = words->v[0];
	struct cda_strv rest = {words->v + 1, words->n - 1, 0};
	char **field;
	struct cda_strv *list;
	int64_t number;

	if (cda_streq(word, "package"))
		return begin_package(p, words);
	if (!p->now)
		return bad(p, "statement before the first package:", word);
	if (words->n < 2)
		return bad(p, "no argument for", word);
	field = text_field(p->now, word);
	list = list_field(p->now, word);
	if (field) {
		cda_replace(field, cda_strv_join(&rest, " "));
	} else if (list) {
		cda_strv_append(list, &rest);
	} else if (cda_streq(word, "version")) {
		return do_version(p, words);
	} else if (cda_streq(word, "number")) {
		if (!cda_parse_int(words->v[1], 0, 100000, &number))
			return bad(p, "wrong build number", words->v[1]);
		p->now->number = (int)number;
	} else if (cda_streq(word, "depends")) {
		cda_strv_take(&p->now->depends, cda_strv_join(&rest, " "));
	} else if (cda_streq(word, "constrains")) {
		cda_strv_take(&p->now->constrains, cda_strv_join(&rest, " "));
	} else if (cda_streq(word, "entry")) {
		cda_strv_take(&p->now->entries, cda_strv_join(&rest, " "));
	} else {
		return do_step(p, words);
	}
	return 0;
}

static int do_line(struct parse *p, struct cda_str raw)
{
	CDA_AUTOBUF struct cda_buf line = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv words = {0};
	struct cda_str text;
	int rc;

	if (memchr(raw.p, 0, raw.len))
		return bad(p, "a zero byte in", "the text");
	rc = expand(p, raw, &line);
	if (rc)
		return rc;
	text = cda_str_trim(cda_buf_str(&line));
	if (text.len == 0 || text.p[0] == '#')
		return 0;
	if (text.p[0] == '|') {
		struct cda_steps *steps = p->now ? &p->now->steps : NULL;

		if (!steps || !steps->n || steps->v[steps->n - 1].kind != CDA_STEP_WRITE)
			return bad(p, "text that belongs to no 'write':", line.p);
		cda_buf_add(&p->write, text.p + 1, text.len - 1);
		cda_buf_addc(&p->write, '\n');
	} else {
		end_write(p);
		rc = split_words(p, line.p, &words);
		if (!rc)
			rc = do_statement(p, &words);
		if (rc)
			return rc;
	}
	/* as written: what the variables hold may depend on the machine */
	raw = cda_str_trim(raw);
	cda_buf_add(&p->text, raw.p, raw.len);
	cda_buf_addc(&p->text, '\n');
	return 0;
}

int cda_recipe_parse(const char *text, size_t len, const char *source, const struct cda_map *vars,
		     struct cda_recipes *list, struct cda_err *err)
{
	struct parse p = {.source = source,
			  .vars = vars,
			  .list = list,
			  .err = err,
			  .text = CDA_BUF_INIT,
			  .write = CDA_BUF_INIT};
	struct cda_str rest = {text, len}, line;
	int rc = 0;

	while (!rc && cda_str_cut(&rest, "\n", &line)) {
		p.line++;
		rc = do_line(&p, line);
	}
	if (!rc)
		rc = end_package(&p);
	cda_buf_done(&p.text);
	cda_buf_done(&p.write);
	return rc;
}

int cda_recipe_read_dir(const char *dir, const struct cda_map *vars, struct cda_recipes *list,
			struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	int rc = cda_fs_list(AT_FDCWD, dir, &names, err);

	for (size_t i = 0; !rc && i < names.n; i++) {
		CDA_AUTOFREE char *path = cda_path_join(dir, names.v[i]);
		CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

		if (!cda_ends_with(names.v[i], ".recipe"))
			continue;
		rc = cda_fs_read(AT_FDCWD, path, RECIPE_MAX, &text, err);
		if (!rc)
			rc = cda_recipe_parse(text.p, text.len, names.v[i], vars, list, err);
	}
	return rc;
}

const struct cda_recipe *cda_recipe_find(const struct cda_recipes *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (cda_streq(list->v[i].name, name))
			return &list->v[i];
	return NULL;
}

void cda_recipes_free(struct cda_recipes *list)
{
	cda_vec_each (r, list) {
		char *owned[] = {r->name,    r->source,  r->text, r->version_deb,
				 r->version, r->build,   r->tag,  r->license,
				 r->family,  r->summary, r->home, r->noarch};

		for (size_t i = 0; i < CDA_LEN(owned); i++)
			free(owned[i]);
		cda_strv_done(&r->debs);
		cda_strv_done(&r->with);
		cda_strv_done(&r->depends);
		cda_strv_done(&r->constrains);
		cda_strv_done(&r->entries);
		cda_strv_done(&r->outside);
		cda_vec_each (step, &r->steps) {
			cda_strv_done(&step->args);
			free(step->text);
		}
		cda_steps_done(&r->steps);
	}
	cda_recipes_done(list);
}
