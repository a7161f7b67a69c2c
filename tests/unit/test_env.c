/* test_env.c - the environment as a list; what CONDA_X variables give. */
#include "check.h"

#include "config/env.h"

TEST(variables_are_found_set_and_unset)
{
	CDA_AUTOSTRV struct cda_strv env = {0};

	cda_strv_push(&env, "A=1");
	cda_strv_push(&env, "AB=2=3");
	CHECK_STR(cda_env_get(&env, "A"), "1");
	CHECK_STR(cda_env_get(&env, "AB"), "2=3");
	CHECK(cda_env_get(&env, "B") == NULL);
	CHECK(cda_env_get(&env, "") == NULL);
	cda_env_set(&env, "A", "x");
	cda_env_set(&env, "NEW", "");
	CHECK_STR(cda_env_get(&env, "A"), "x");
	CHECK_STR(cda_env_get(&env, "NEW"), "");
	cda_env_set(&env, "AB", NULL);
	CHECK(cda_env_get(&env, "AB") == NULL);
	CHECK_INT(env.n, 2);
}

static const struct {
	const char *text, *want;
} expansions[] = {
	{"plain", "plain"},
	{"$USER_X", "me"},
	{"${USER_X}", "me"},
	{"a${USER_X}b$USER_X/c", "amebme/c"},
	{"$NOPE/${NOPE}", "$NOPE/${NOPE}"},
	{"${USER_X", "${USER_X"},
	{"$", "$"},
	{"$$USER_X", "$me"},
	{"${EMPTY}x", "x"},
};

TEST(known_variables_are_expanded_and_others_stay)
{
	CDA_AUTOSTRV struct cda_strv env = {0};

	cda_strv_push(&env, "USER_X=me");
	cda_strv_push(&env, "EMPTY=");
	for (size_t i = 0; i < CDA_LEN(expansions); i++) {
		CDA_AUTOFREE char *got = cda_env_expand(&env, expansions[i].text);
		CHECK_STR_AT(got, expansions[i].want, "'%s'", expansions[i].text);
	}
}

TEST(settings_come_from_variables_by_name_or_alias)
{
	CDA_AUTOSTRV struct cda_strv env = {0};
	CDA_AUTOYAML struct cda_yaml *map = NULL;

	cda_strv_push(&env, "CONDA_ALWAYS_YES=true");
	cda_strv_push(&env, "CONDA_ENVS_PATH=/a:/b");
	cda_strv_push(&env, "CONDA_CHANNELS=one, two,");
	cda_strv_push(&env, "CONDA_PINNED_PACKAGES=a>1,<2&b");
	cda_strv_push(&env, "CONDA_PREFIX=/opt/conda");
	cda_strv_push(&env, "CONDA_PROXY_SERVERS=x");
	map = cda_env_settings(&env);
	CHECK_INT(map->items.n, 4);
	CHECK_STR(cda_yaml_get(map, "always_yes")->text, "true");
	CHECK_INT(cda_yaml_get(map, "envs_path")->items.n, 2);
	CHECK_INT(cda_yaml_get(map, "channels")->items.n, 2);
	CHECK_STR(cda_yaml_get(map, "channels")->items.v[1]->text, "two");
	CHECK_STR(cda_yaml_get(map, "pinned_packages")->items.v[0]->text, "a>1,<2");
}
