/* The plan as people and tools see it. */
#include "check.h"

#include "cli/plan.h"
#include "printed.h"
#include "util/alloc.h"

#define CHANNEL "https://example.org/main"

#define RECORD(n, v, b, number)                                                                    \
	{                                                                                          \
		.name = n, .version = v, .build = b, .build_number = number, .channel = CHANNEL,   \
		.channel_name = "main", .subdir = "linux-64", .fn = n "-" v "-" b ".conda",        \
		.url = CHANNEL "/linux-64/" n "-" v "-" b ".conda", .size = 2048                   \
	}

static struct cda_record records[] = {
	RECORD("fresh", "1.0", "0", 0),       RECORD("up", "1.0", "0", 0),
	RECORD("up", "2.0", "0", 0),          RECORD("down", "1.1", "0", 0),
	RECORD("down", "1.0", "0", 0),        RECORD("gone", "1.0", "h_1", 1),
	RECORD("moved", "1.0", "0", 0),       RECORD("moved", "1.0", "0", 0),
	RECORD("evil\033[2J", "1.0", "0", 0),
};

/* Links and unlinks by their place in records; -1 ends. */
static void make(struct cda_change *change, struct cda_context *ctx, const int *link,
		 const int *unlink_)
{
	*ctx = (struct cda_context){.prefix = (char *)"/envs/work"};
	*change = (struct cda_change){.ctx = ctx};
	for (; *link >= 0; link++)
		cda_records_push(&change->plan.link, &records[*link]);
	for (; *unlink_ >= 0; unlink_++)
		cda_records_push(&change->plan.unlink, &records[*unlink_]);
	change->need = cda_alloc0(change->plan.link.n + 1, sizeof(bool));
}

static void drop(struct cda_change *change)
{
	cda_plan_done(&change->plan);
	cda_strv_done(&change->specs);
	free(change->need);
}

static char *text_of(const struct cda_change *change, bool json)
{
	CDA_CLEANUP(cda_out_freep) struct cda_out *out = cda_out_new(json, true, 0);
	struct printed printed;

	printed_begin(&printed);
	if (json)
		cda_plan_print_json(out, change, true);
	else
		cda_plan_print(out, change, false);
	cda_out_finish(out);
	return printed_end(&printed);
}

TEST(each_package_stands_under_what_happens_to_it)
{
	struct cda_context ctx;
	struct cda_change change;
	CDA_AUTOFREE char *text = NULL;
	const char *last = NULL;
	static const char *const order[] = {
		"/envs/work",
		"- up >=2",
		"INSTALLED:\n\n  fresh",
		"REMOVED:\n\n  gone-1.0-h_1\n",
		"UPDATED:\n\n  up",
		"1.0-0 --> 2.0-0",
		"DOWNGRADED:\n\n  down",
		"1.1-0 --> 1.0-0",
		"SUPERSEDED",
		"other/linux-64::moved-1.0-0 --> main/linux-64::moved-1.0-0",
	};

	records[6].channel_name = "other";
	make(&change, &ctx, (int[]){0, 2, 4, 7, -1}, (int[]){1, 3, 5, 6, -1});
	cda_strv_push(&change.specs, "up >=2");
	text = text_of(&change, false);
	last = text;
	for (size_t i = 0; i < CDA_LEN(order); i++) {
		const char *hit = strstr(last, order[i]);

		CHECK_AT(hit, "'%s' in its place in\n%s", order[i], text);
		if (hit)
			last = hit;
	}
	CHECK(!strstr(text, "downloaded"));
	drop(&change);
}

TEST(what_is_to_be_downloaded_is_listed_with_its_size)
{
	struct cda_context ctx;
	struct cda_change change;
	CDA_AUTOFREE char *text = NULL;

	make(&change, &ctx, (int[]){0, 2, -1}, (int[]){-1});
	change.need[1] = true;
	change.need_bytes = 2048;
	text = text_of(&change, false);
	CHECK(strstr(text, "up-2.0"));
	CHECK(!strstr(text, "fresh-1.0  "));
	CHECK(strstr(text, "2 KB  main"));
	CHECK(strstr(text, "Total:       2 KB"));
	drop(&change);
}

TEST(names_from_channels_do_not_steer_the_terminal)
{
	struct cda_context ctx;
	struct cda_change change;
	CDA_AUTOFREE char *text = NULL;

	make(&change, &ctx, (int[]){8, -1}, (int[]){-1});
	text = text_of(&change, false);
	CHECK(strstr(text, "evil?[2J"));
	CHECK(!strchr(text, '\033'));
	drop(&change);
}

TEST(json_has_actions_in_the_order_of_the_plan)
{
	struct cda_context ctx;
	struct cda_change change;
	CDA_AUTOFREE char *text = NULL;
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	yyjson_val *root, *actions;

	make(&change, &ctx, (int[]){2, 0, -1}, (int[]){1, -1});
	change.need[0] = true;
	text = text_of(&change, true);
	doc = yyjson_read(text, strlen(text), 0);
	root = yyjson_doc_get_root(doc);
	actions = yyjson_obj_get(root, "actions");
	REQUIRE(yyjson_is_obj(actions));
	CHECK(cda_json_bool(root, "success", false));
	CHECK(cda_json_bool(root, "dry_run", false));
	CHECK_STR(cda_json_str(root, "prefix"), "/envs/work");
	CHECK_STR(cda_json_str(actions, "PREFIX"), "/envs/work");
	CHECK_INT(yyjson_arr_size(yyjson_obj_get(actions, "FETCH")), 1);
	CHECK_INT(yyjson_arr_size(yyjson_obj_get(actions, "LINK")), 2);
	CHECK_INT(yyjson_arr_size(yyjson_obj_get(actions, "UNLINK")), 1);
	CHECK_STR(cda_json_str(yyjson_arr_get_first(yyjson_obj_get(actions, "LINK")), "dist_name"),
		  "up-2.0-0");
	CHECK_STR(cda_json_str(yyjson_arr_get_first(yyjson_obj_get(actions, "LINK")), "base_url"),
		  CHANNEL);
	CHECK_STR(cda_json_str(yyjson_arr_get_first(yyjson_obj_get(actions, "FETCH")), "channel"),
		  CHANNEL "/linux-64");
	drop(&change);
}

TEST(an_empty_plan_says_so)
{
	struct cda_context ctx;
	struct cda_change change;
	CDA_AUTOFREE char *text = NULL;
	CDA_AUTOJSON yyjson_doc *doc = NULL;

	make(&change, &ctx, (int[]){-1}, (int[]){-1});
	text = text_of(&change, true);
	doc = yyjson_read(text, strlen(text), 0);
	CHECK(!yyjson_obj_get(yyjson_doc_get_root(doc), "actions"));
	CHECK(cda_json_str(yyjson_doc_get_root(doc), "message"));
	drop(&change);
}
