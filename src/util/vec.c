#include "util/vec.h"
#include "util/buf.h"
#include "util/map.h"
#include "util/str.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Room for more items and the NULL behind them. */
static void reserve(struct cda_strv *list, size_t more)
{
	size_t need = list->n + more + 1;

	if (list->cap >= need)
		return;
	if (need < list->cap * 2)
		need = list->cap * 2;
	if (need < 8)
		need = 8;
	list->v = cda_realloc(list->v, need, sizeof(*list->v));
	list->cap = need;
}

void cda_strv_take(struct cda_strv *list, char *s)
{
	reserve(list, 1);
	list->v[list->n++] = s;
	list->v[list->n] = NULL;
}

void cda_strv_push(struct cda_strv *list, const char *s)
{
	cda_strv_take(list, cda_strdup(s));
}

void cda_strv_pushf(struct cda_strv *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cda_strv_take(list, cda_vasprintf(fmt, ap));
	va_end(ap);
}

void cda_strv_append(struct cda_strv *list, const struct cda_strv *more)
{
	size_t n = more->n; /* more may be list itself */

	for (size_t i = 0; i < n; i++)
		cda_strv_push(list, more->v[i]);
}

bool cda_strv_has(const struct cda_strv *list, const char *s)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], s) == 0)
			return true;
	return false;
}

void cda_strv_remove(struct cda_strv *list, size_t at)
{
	if (at >= list->n)
		return;
	free(list->v[at]);
	memmove(list->v + at, list->v + at + 1, (list->n - at) * sizeof(*list->v));
	list->n--;
}

void cda_strv_insert(struct cda_strv *list, size_t at, const char *s)
{
	char *copy = cda_strdup(s);

	if (at > list->n)
		at = list->n;
	reserve(list, 1);
	memmove(list->v + at + 1, list->v + at, (list->n - at) * sizeof(*list->v));
	list->v[at] = copy;
	list->v[++list->n] = NULL;
}

static int by_byte(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void cda_strv_sort(struct cda_strv *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), by_byte);
}

void cda_strv_uniq(struct cda_strv *list)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *seen = cda_map_new();
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (cda_map_has(seen, list->v[i])) {
			free(list->v[i]);
			continue;
		}
		cda_map_set(seen, list->v[i], NULL);
		list->v[kept++] = list->v[i];
	}
	if (list->v)
		list->v[kept] = NULL;
	list->n = kept;
}

char *cda_strv_join(const struct cda_strv *list, const char *sep)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			cda_buf_adds(&text, sep);
		cda_buf_adds(&text, list->v[i]);
	}
	return cda_buf_take(&text);
}

void cda_strv_split(struct cda_strv *list, const char *s, const char *seps)
{
	struct cda_str rest = cda_str(s), piece;

	while (cda_str_cut(&rest, seps, &piece))
		if (piece.len > 0)
			cda_strv_take(list, cda_str_dup(piece));
}

char *const *cda_strv_argv(struct cda_strv *list)
{
	reserve(list, 0);
	list->v[list->n] = NULL;
	return list->v;
}

void cda_strv_done(struct cda_strv *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct cda_strv){0};
}

static bool is_variable(const char *line, const char *name, size_t len)
{
	return len > 0 && strncmp(line, name, len) == 0 && line[len] == '=';
}

const char *cda_env_get(const struct cda_strv *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; env && i < env->n; i++)
		if (is_variable(env->v[i], name, len))
			return env->v[i] + len + 1;
	return NULL;
}

void cda_env_set(struct cda_strv *env, const char *name, const char *value)
{
	size_t len = strlen(name);
	char *line = value ? cda_asprintf("%s=%s", name, value) : NULL; /* value may be of env */

	for (size_t i = env->n; i-- > 0;)
		if (is_variable(env->v[i], name, len))
			cda_strv_remove(env, i);
	if (line)
		cda_strv_take(env, line);
}
