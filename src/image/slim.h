/* slim.h - what an image does not need goes: from a root file system or a conda prefix on disk.
 *
 * The rules work on the files below ROOT; no link is followed, and nothing outside is touched.
 * Files of dpkg and apk stay as they are. What packages of conda and Python say of their files
 * (conda-meta, RECORD) is changed with the files, and before them: an interrupted run leaves
 * records that a second run makes true. The same tree gives the same result, and a second run
 * finds nothing. */
#ifndef CDA_IMAGE_SLIM_H
#define CDA_IMAGE_SLIM_H

#include "util/buf.h"
#include "util/err.h"
#include "util/event.h"
#include "util/vec.h"

/* name, on without being asked for, help */
#define CDA_SLIM_RULES(X)                                                                          \
	X(STATIC, "static", true, "static libraries and libtool archives (not a compiler's own)")  \
	X(MAPS, "maps", true, "source maps of scripts and styles, program databases")              \
	X(TESTS, "tests", true, "tests of Python and of packages, where nothing imports them")     \
	X(DOCS, "docs", true, "manuals and documentation of packages; licences stay")              \
	X(CACHES, "caches", true, "package caches, lists, logs, compiled files without a source")  \
	X(STRIP, "strip", true, "debug sections and symbol tables of programs and libraries")      \
	X(DUPLICATES, "duplicates", true, "equal files become hard links of one")                  \
	X(BYTECODE, "bytecode", false, "compiled Python that can be made again (asked for only)")

enum cda_slim_rule {
#define CDA_SLIM_ENUM(id, name, on, help) CDA_SLIM_##id,
	CDA_SLIM_RULES(CDA_SLIM_ENUM)
#undef CDA_SLIM_ENUM
		CDA_SLIM_COUNT
};

struct cda_slim_rule_info {
	const char *name, *help;
	bool is_default;
};
extern const struct cda_slim_rule_info cda_slim_rules[CDA_SLIM_COUNT];

struct cda_slim_options {
	const char *root;            /* a root file system or a prefix; not "/" */
	const char *subtree;         /* relative to root: nothing else is touched; NULL: all */
	unsigned rules;              /* bits: 1u << CDA_SLIM_… */
	const struct cda_strv *keep; /* patterns of cda_slim_pattern; NULL: none */
	bool dry_run;
	const struct cda_events *events; /* NULL: nobody listens */
};

struct cda_slim_item {
	enum cda_slim_rule rule;
	char *path;     /* owned; relative to root */
	uint64_t bytes; /* that its going sets free; of hard links, the last one's alone */
};
CDA_VEC_DEFINE(cda_slim_items, struct cda_slim_item);

struct cda_slim_report {
	struct {
		size_t files;
		uint64_t bytes;
	} rules[CDA_SLIM_COUNT];
	struct cda_slim_items items; /* by path */
	struct cda_strv notes;       /* what a rule left alone, and why */
	size_t files;                /* regular files looked at */
	uint64_t bytes;              /* of them, each hard-linked one once */
};

/* Errors: CDA_E_USAGE for a root that is none, CDA_E_PARSE for a record that cannot be read (both
 * before anything is changed), CDA_E_SYS, CDA_E_INTERRUPTED between two steps. */
int cda_slim_run(const struct cda_slim_options *options, struct cda_slim_report *ret,
		 struct cda_err *err) CDA_CHECK;
void cda_slim_report_done(struct cda_slim_report *report);

/* Does the pattern of --keep mean the path? A pattern without a slash means a file or folder of
 * that name anywhere; one with a slash the path from the root on, and all below it. Wildcards do
 * not cross a slash; a part that is ** stands for any number of parts. */
bool cda_slim_pattern(const char *pattern, const char *path);

/* The file without its debug sections, symbol table and the names of that; to *out, empty before.
 * 1: done; 0: there is nothing to take, or the file is not one that this is safe for. */
int cda_slim_strip(const void *p, size_t len, struct cda_buf *out);

#endif
