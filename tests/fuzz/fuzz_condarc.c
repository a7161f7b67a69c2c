/* Any bytes are refused or read; what was read is written and read again as the same; an edit keeps
 * every other key, and its text reads back. */
#include "fuzz.h"

#include "config/condarc.h"

#include <string.h>

static bool same(const struct cda_yaml *a, const struct cda_yaml *b)
{
	if (a->kind != b->kind || a->items.n != b->items.n || a->truth != b->truth)
		return false;
	if (a->key && !cda_streq(a->key, b->key))
		return false;
	if (a->kind == CDA_YAML_STR && !cda_streq(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->items.n; i++)
		if (!same(a->items.v[i], b->items.v[i]))
			return false;
	return true;
}

static void check_round_trip(const struct cda_yaml *tree)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOYAML struct cda_yaml *again = NULL;
	struct cda_err err = {0};

	cda_yaml_format(tree, 0, &text);
	if (text.len > CDA_YAML_MAX_BYTES)
		return;
	HOLDS(cda_yaml_parse(text.p, text.len, "again", &again, &err) == 0);
	HOLDS(same(tree, again));
}

static void check_edit(const struct cda_condarc *rc, const char *text, size_t len)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *edited = NULL, *again = NULL;
	CDA_AUTOSTRV struct cda_strv warnings = {0};
	struct cda_err err = {0};

	HOLDS(cda_condarc_parse(text, len, "rc", &edited, &err) == 0);
	if (cda_condarc_edit(edited, CDA_RC_PREPEND, "channels", "new: one", &warnings, &err) < 0) {
		cda_err_done(&err);
		return;
	}
	HOLDS(cda_condarc_parse(cda_condarc_text(edited), strlen(cda_condarc_text(edited)), "again",
				&again, &err) == 0);
	cda_vec_each (it, &cda_condarc_values(rc)->items) {
		const struct cda_yaml *kept = cda_yaml_get(cda_condarc_values(again), (*it)->key);

		HOLDS(kept);
		HOLDS(strcmp((*it)->key, "channels") == 0 || same(*it, kept));
	}
}

static void check_types(const struct cda_condarc *rc)
{
	for (int i = 0; i < CDA_SETTINGS_COUNT; i++) {
		const struct cda_yaml *raw =
			cda_yaml_get(cda_condarc_values(rc), cda_setting_infos[i].name);
		CDA_AUTOYAML struct cda_yaml *value = NULL;
		struct cda_err err = {0};

		if (raw && cda_setting_typify((enum cda_setting)i, raw, "in it", &value, &err) < 0)
			HOLDS(err.msg && !value);
		cda_err_done(&err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	CDA_CLEANUP(cda_condarc_freep) struct cda_condarc *rc = NULL;
	struct cda_err err = {0};

	if (cda_condarc_parse((const char *)p, len, "rc", &rc, &err) < 0) {
		HOLDS(err.msg);
		cda_err_done(&err);
		return 0;
	}
	check_round_trip(cda_condarc_values(rc));
	check_edit(rc, (const char *)p, len);
	check_types(rc);
	return 0;
}
