/* recipe.h - the text that tells which Debian packages become which conda packages.
 *
 * One statement a line: a word, then its arguments, parted by blanks; an argument with blanks is
 * quoted '…' or "…" (no escapes). '#' at the start of a line is a comment. ${NAME} takes the value
 * of a variable. `package NAME` begins a package, and every statement after it belongs to it:
 *
 *   debs DEB…            Debian packages that it is made of; their trees are laid over each other
 *   version DEB [date]   its version is that of this Debian package, as upstream counts; with
 *                        `date`, 20250419 becomes 2025.4.19
 *   version = TEXT       its version, as written
 *   number N             build number
 *   build TEXT           build string, instead of the one made from the inputs
 *   license summary home family TEXT…
 *   noarch python|generic
 *   tag TEXT             goes before the hash in the build string (py313)
 *   depends SPEC         a MatchSpec; `depends NAME @N` asks for the version of NAME that is built
 *                        here or newer, within the same first N parts; `@=` for exactly it
 *   constrains SPEC      the same, for packages that need not be there
 *   entry 'COMMAND = MODULE:FUNC'
 *   outside SONAME…      libraries that the system gives (beside glibc)
 *   with DEB…            Debian packages that running the package here needs (libc6), not part of
 * it STEP ARGUMENT…       see stage.h; done in order; lines that begin with '|' are its text
 */
#ifndef CDA_FORGE_RECIPE_H
#define CDA_FORGE_RECIPE_H

#include "util/err.h"
#include "util/map.h"
#include "util/vec.h"

#include <stdbool.h>

enum cda_step_kind {
	CDA_STEP_TREE,
	CDA_STEP_TAKE,
	CDA_STEP_COPY,
	CDA_STEP_UNZIP,
	CDA_STEP_ZIP,
	CDA_STEP_DROP,
	CDA_STEP_LINK,
	CDA_STEP_WRITE,
	CDA_STEP_SUB,
	CDA_STEP_CUT,
	CDA_STEP_CONCAT,
	CDA_STEP_DISTINFO,
	CDA_STEP_HIDE,
	CDA_STEP_ANSWER,
	CDA_STEP_COMPILE
};

struct cda_step {
	enum cda_step_kind kind;
	struct cda_strv args;
	char *text; /* of `write`; else NULL */
	int line;
};
CDA_VEC_DEFINE(cda_steps, struct cda_step);

struct cda_recipe {
	char *name, *source; /* source: the file it was read from */
	int line;
	char *text; /* its statements as written */
	struct cda_strv debs, with, depends, constrains, entries, outside;
	char *version_deb, *version; /* one of them */
	bool version_is_date;
	int number;
	char *build, *tag, *license, *family, *summary, *home, *noarch;
	struct cda_steps steps;
};
CDA_VEC_DEFINE(cda_recipes, struct cda_recipe);

/* Appends the packages of one text to list. vars: name to char *. A package whose name is in the
 * list already is an error, as is every unknown word. Errors: CDA_E_PARSE, with file and line. */
int cda_recipe_parse(const char *text, size_t len, const char *source, const struct cda_map *vars,
		     struct cda_recipes *list, struct cda_err *err) CDA_CHECK;
/* All *.recipe of a folder, by name. */
int cda_recipe_read_dir(const char *dir, const struct cda_map *vars, struct cda_recipes *list,
			struct cda_err *err) CDA_CHECK;
const struct cda_recipe *cda_recipe_find(const struct cda_recipes *list, const char *name);
void cda_recipes_free(struct cda_recipes *list);

#endif
