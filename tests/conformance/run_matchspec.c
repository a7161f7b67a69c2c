/* run_matchspec.c - match specs: fields, canonical text, and which records they match. */
#include "run.h"

#include "core/matchspec.h"
#include "core/record_json.h"
#include "util/arena.h"
#include "util/str.h"

#include <string.h>

static struct cda_matchspec *parse(const struct cda_channel_config *config, const char *text)
{
	struct cda_matchspec *spec = NULL;
	struct cda_err err = {0};

	if (cda_matchspec_parse(config, text, &spec, &err) < 0)
		spec = NULL;
	cda_err_done(&err);
	return spec;
}

static void check_field(const struct cda_matchspec *spec, yyjson_val *fields, const char *field,
			struct cda_buf *why)
{
	yyjson_val *val = yyjson_obj_get(fields, field);
	const char *got = cda_matchspec_field(spec, field);
	CDA_AUTOFREE char *want = NULL;

	if (yyjson_is_arr(val)) {
		CDA_AUTOSTRV struct cda_strv list = {0};

		cda_json_strv(fields, field, &list);
		cda_strv_sort(&list);
		want = cda_strv_join(&list, " ");
	} else if (yyjson_is_int(val)) {
		want = cda_asprintf("%lld", (long long)yyjson_get_sint(val));
	} else if (val) {
		want = tally_places(yyjson_get_str(val));
	}
	if (!cda_streq(got, want))
		cda_buf_addf(why, "; %s '%s', want '%s'", field, got ? got : "null",
			     want ? want : "null");
}

static void check_parse(const struct cda_channel_config *config, yyjson_val *item,
			struct tally *tally)
{
	static const char *const fields[] = {
		"name", "version", "build",   "build_number",   "channel",  "subdir",        "url",
		"fn",   "md5",     "license", "license_family", "features", "track_features"};
	CDA_AUTOFREE char *text = tally_places(cda_json_str(item, "spec"));
	CDA_AUTOFREE char *want = tally_places(cda_json_str(item, "canonical"));
	const char *again = cda_json_str(item, "reparse_canonical");
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = parse(config, text);
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *second = NULL;
	CDA_AUTOBUF struct cda_buf why = CDA_BUF_INIT;

	if (!spec) {
		tally_check(tally, false, "spec '%s': refused, want '%s'", text, want);
		return;
	}
	if (strcmp(cda_matchspec_text(spec), want) != 0)
		cda_buf_addf(&why, "; text '%s', want '%s'", cda_matchspec_text(spec), want);
	for (size_t i = 0; i < CDA_LEN(fields); i++)
		check_field(spec, yyjson_obj_get(item, "fields"), fields[i], &why);
	if (cda_matchspec_optional(spec) != cda_json_bool(item, "optional", false))
		cda_buf_adds(&why, "; optional differs");
	if (!cda_streq(cda_matchspec_target(spec), cda_json_str(item, "target")))
		cda_buf_adds(&why, "; target differs");
	if (again) {
		second = parse(config, cda_matchspec_text(spec));
		if (!second || strcmp(cda_matchspec_text(second), again) != 0)
			cda_buf_addf(&why, "; read again '%s', want '%s'",
				     second ? cda_matchspec_text(second) : "(refused)", again);
	}
	tally_check(tally, why.len == 0, "spec '%s'%s", text, why.p);
}

static void check_match(const struct cda_channel_config *config, yyjson_val *item,
			const struct cda_records *records, struct tally *tally)
{
	CDA_AUTOFREE char *text = tally_places(yyjson_get_str(yyjson_arr_get(item, 0)));
	const struct cda_record *record = records->v[yyjson_get_int(yyjson_arr_get(item, 1))];
	bool want = yyjson_get_bool(yyjson_arr_get(item, 2));
	CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = parse(config, text);
	bool got = spec && cda_matchspec_match(spec, record);

	tally_check(tally, spec && got == want, "spec '%s' matches %s::%s (%s): got %s, want %s",
		    text, record->channel ? record->channel : "", record->fn ? record->fn : "",
		    record->name,
		    !spec ? "refused"
		    : got ? "yes"
			  : "no",
		    want ? "yes" : "no");
}

int run_matchspec(yyjson_val *root, struct tally *tally)
{
	CDA_CLEANUP(cda_arena_freep) struct cda_arena *arena = cda_arena_new();
	CDA_CLEANUP(tally_channel_config_done) struct cda_channel_config config = {0};
	CDA_CLEANUP(cda_records_done) struct cda_records records = {0};
	yyjson_val *item;
	size_t i, max;
	const char *why = NULL;

	tally_channel_config("", arena, &config);
	yyjson_arr_foreach (yyjson_obj_get(root, "records"), i, max, item) {
		struct cda_record *record = cda_arena_alloc0(arena, 1, sizeof(*record));

		if (!cda_record_from_json(item, arena, true, record, &why)) {
			printf("%s: record %zu: %s\n", tally->file, i, why);
			return -1;
		}
		cda_records_push(&records, record);
	}
	yyjson_arr_foreach (yyjson_obj_get(root, "parse"), i, max, item)
		check_parse(&config, item, tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "match"), i, max, item)
		check_match(&config, item, &records, tally);
	yyjson_arr_foreach (yyjson_obj_get(root, "invalid"), i, max, item) {
		const char *text = cda_json_str(item, "spec");
		CDA_CLEANUP(cda_matchspec_freep) struct cda_matchspec *spec = parse(&config, text);

		tally_check(tally, !spec, "spec '%s': accepted, want refused", text);
	}
	return 0;
}
