/* Whatever a mirror sends as its list, JSON or a page: what is taken has names that the rule takes,
 * hashes that are hashes, and survives being written and read again. */
#include "fuzz.h"
#include "release/listing.h"
#include "util/hash.h"

#include <string.h>

static void check_list(struct cda_releases *list)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_releases again = {0};
	struct cda_err err = {0};

	cda_listing_sort(list);
	cda_vec_each (release, list) {
		char name[CDA_RELEASE_NAME_MAX];
		struct cda_release_name back;

		cda_release_name_format(&release->name, name);
		HOLDS(strchr(name, '/') == NULL && strstr(name, "..") == NULL);
		HOLDS(cda_release_name_parse(cda_str(name), &back));
		HOLDS(cda_release_name_cmp(&release->name, &back) == 0);
		HOLDS(!release->sha256[0] || cda_hash_is_hex(CDA_SHA256, release->sha256));
		HOLDS(release->mtime >= 0 && !release->pinned);
		HOLDS(cda_listing_find(list, &back) == release);
	}
	for (size_t i = 1; i < list->n; i++)
		HOLDS(cda_release_name_cmp(&list->v[i - 1].name, &list->v[i].name) < 0);
	cda_listing_format(list, &text);
	HOLDS(cda_listing_parse_json(text.p, text.len, "list", &again, NULL, &err) == 0);
	HOLDS(again.n == list->n);
	cda_releases_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct cda_releases list = {0};
	struct cda_err err = {0};
	size_t skipped = 0;

	if (cda_listing_parse_json((const char *)p, len, "list", &list, &skipped, &err) < 0)
		HOLDS(err.code == CDA_E_PARSE && list.n == 0);
	check_list(&list);
	cda_releases_done(&list);
	cda_err_done(&err);
	cda_listing_parse_html((const char *)p, len, &list, &skipped);
	check_list(&list);
	cda_releases_done(&list);
	return 0;
}
