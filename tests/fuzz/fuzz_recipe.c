/* Whatever a recipe holds: it is refused with a message, or every package of it is whole. */
#include "fuzz.h"
#include "forge/recipe.h"
#include "util/fs.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct cda_map *vars = cda_map_new();
	struct cda_recipes list = {0};
	struct cda_err err = {0};
	static char value[] = "value";

	cda_map_set(vars, "name", value);
	if (cda_recipe_parse((const char *)p, len, "fuzz", vars, &list, &err)) {
		HOLDS(err.code == CDA_E_PARSE && strncmp(err.msg, "fuzz:", 5) == 0);
		cda_err_done(&err);
	} else {
		for (size_t i = 0; i < list.n; i++) {
			const struct cda_recipe *r = &list.v[i];

			HOLDS(cda_fs_path_is_inside(r->name) && !strchr(r->name, '/'));
			HOLDS(r->text && r->license && r->summary);
			HOLDS(!r->version != !r->version_deb);
			HOLDS(cda_recipe_find(&list, r->name) == r);
			for (size_t k = 0; k < r->steps.n; k++)
				HOLDS((r->steps.v[k].kind == CDA_STEP_WRITE) ==
				      (r->steps.v[k].text != NULL));
		}
	}
	cda_recipes_free(&list);
	cda_map_free(vars);
	return 0;
}
