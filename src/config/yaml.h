/* yaml.h - YAML to a small tree and back, within limits (size, depth, nodes). Scalars keep their
 * text and get the type of YAML 1.2's core schema ("yes" is text, "true" is a boolean). */
#ifndef CDA_CONFIG_YAML_H
#define CDA_CONFIG_YAML_H

#include "util/buf.h"
#include "util/err.h"
#include "util/json.h"
#include "util/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum { CDA_YAML_MAX_BYTES = 1 << 20, CDA_YAML_MAX_DEPTH = 64, CDA_YAML_MAX_NODES = 20000 };

enum cda_yaml_kind {
	CDA_YAML_NULL,
	CDA_YAML_BOOL,
	CDA_YAML_INT,
	CDA_YAML_FLOAT,
	CDA_YAML_STR,
	CDA_YAML_LIST,
	CDA_YAML_MAP
};

struct cda_yaml;
CDA_VEC_DEFINE(cda_yamlv, struct cda_yaml *); /* owned nodes */

struct cda_yaml {
	enum cda_yaml_kind kind;
	char *key;              /* when it is a member of a map; owned, else NULL */
	char *text;             /* of scalars: as written, without quotes; owned */
	bool truth;             /* of BOOL */
	struct cda_yamlv items; /* of LIST and MAP, in order */
	unsigned line;          /* 1-based, of the key or the item; 0 when made by code */
	unsigned end_line;      /* of the last line that belongs to it */
	char *flag;             /* comment behind it on its line, from the '#'; owned, or NULL */
};

/* what names the source in messages ("file, line N"). Empty text gives a NULL node. Duplicate keys
 * are errors. Errors: CDA_E_PARSE (syntax), CDA_E_VALUE (limits). The caller owns *ret. */
int cda_yaml_parse(const char *text, size_t len, const char *what, struct cda_yaml **ret,
		   struct cda_err *err) CDA_CHECK;
/* One scalar as a plain YAML scalar would be typed; for values of the command line. */
struct cda_yaml *cda_yaml_scalar(const char *text);
struct cda_yaml *cda_yaml_new(enum cda_yaml_kind kind);
struct cda_yaml *cda_yaml_str(const char *text);
struct cda_yaml *cda_yaml_copy(const struct cda_yaml *node);
struct cda_yaml *cda_yaml_free(struct cda_yaml *node); /* NULL is fine; returns NULL */
CDA_DEFINE_CLEANUP(struct cda_yaml *, cda_yaml_free)
#define CDA_AUTOYAML CDA_CLEANUP(cda_yaml_freep)

/* Member of a map, or NULL. Borrowed. */
struct cda_yaml *cda_yaml_get(const struct cda_yaml *map, const char *key);
/* Puts node (owned) under key, replacing what was there, else last. */
void cda_yaml_set(struct cda_yaml *map, const char *key, struct cda_yaml *node);
void cda_yaml_push(struct cda_yaml *list, struct cda_yaml *node);
bool cda_yaml_remove(struct cda_yaml *map, const char *key);
void cda_yaml_cut(struct cda_yaml *node, size_t at); /* item or member number `at` out */
/* Scalar items of a list (or the one scalar) as texts. */
void cda_yaml_strv(const struct cda_yaml *node, struct cda_strv *list);
bool cda_yaml_is_scalar(const struct cda_yaml *node);
const char *cda_yaml_kind_name(enum cda_yaml_kind kind); /* "bool", "int", "str", "list", … */

/* Block style, two columns per level, lists indented below their key; ends in a newline. */
void cda_yaml_format(const struct cda_yaml *node, unsigned indent, struct cda_buf *out);
/* A scalar as Python's str() shows it: True, False, None, or the text. */
void cda_yaml_python_scalar(const struct cda_yaml *node, struct cda_buf *out);
yyjson_mut_val *cda_yaml_json(yyjson_mut_doc *doc, const struct cda_yaml *node);

#endif
