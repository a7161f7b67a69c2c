/* vec.h - typed growable arrays, and the one everybody needs: a list of strings. */
#ifndef CDA_UTIL_VEC_H
#define CDA_UTIL_VEC_H

#include "util/alloc.h"
#include "util/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/* struct NAME { type *v; size_t n, cap; } and static inline NAME_push, NAME_reserve, NAME_done
 * (frees the array, not what its items own). A zeroed struct is an empty vector. */
#define CDA_VEC_DEFINE(name, type)                                                                 \
	struct name {                                                                              \
		type *v;                                                                           \
		size_t n, cap;                                                                     \
	};                                                                                         \
	static inline void name##_reserve(struct name *vec, size_t more)                           \
	{                                                                                          \
		if (vec->cap - vec->n >= more)                                                     \
			return;                                                                    \
		size_t cap = vec->cap ? vec->cap * 2 : 8;                                          \
		if (cap < vec->n + more)                                                           \
			cap = vec->n + more;                                                       \
		vec->v = (type *)cda_realloc(vec->v, cap, sizeof(type));                           \
		vec->cap = cap;                                                                    \
	}                                                                                          \
	static inline type *name##_push(struct name *vec, type item)                               \
	{                                                                                          \
		name##_reserve(vec, 1);                                                            \
		vec->v[vec->n] = item;                                                             \
		return &vec->v[vec->n++];                                                          \
	}                                                                                          \
	static inline void name##_done(struct name *vec)                                           \
	{                                                                                          \
		free(vec->v);                                                                      \
		*vec = (struct name){0};                                                           \
	}                                                                                          \
	struct name /* asks for a ; */

/* for (type *it over the items) */
#define cda_vec_each(it, vec)                                                                      \
	for (__typeof__((vec)->v + 0) it = (vec)->v,                                               \
				      it##_end_ = (vec)->v ? (vec)->v + (vec)->n : NULL;           \
	     it != it##_end_; it++)

/* Owned strings. The array always has a NULL after its last item once something was pushed. */
struct cda_strv {
	char **v;
	size_t n, cap;
};

void cda_strv_push(struct cda_strv *list, const char *s); /* copies */
void cda_strv_take(struct cda_strv *list, char *s);       /* owns s */
void cda_strv_pushf(struct cda_strv *list, const char *fmt, ...) CDA_PRINTF(2, 3);
void cda_strv_append(struct cda_strv *list, const struct cda_strv *more);
bool cda_strv_has(const struct cda_strv *list, const char *s);
void cda_strv_remove(struct cda_strv *list, size_t at);
void cda_strv_insert(struct cda_strv *list, size_t at, const char *s);
void cda_strv_sort(struct cda_strv *list); /* by byte */
void cda_strv_uniq(struct cda_strv *list); /* keeps the first of equals, order kept */
char *cda_strv_join(const struct cda_strv *list, const char *sep); /* owned */
void cda_strv_split(struct cda_strv *list, const char *s,
		    const char *seps);             /* empty pieces left out */
char *const *cda_strv_argv(struct cda_strv *list); /* NULL-ended, borrowed; never NULL */
void cda_strv_done(struct cda_strv *list);
#define CDA_AUTOSTRV CDA_CLEANUP(cda_strv_done)

/* An environment, "NAME=value" lines: a variable's value, borrowed; NULL when unset or env is. */
const char *cda_env_get(const struct cda_strv *env, const char *name);
void cda_env_set(struct cda_strv *env, const char *name, const char *value); /* NULL unsets */

#endif
