/* jsoncheck FILE POINTER VALUE - exits 0 when the JSON pointer (RFC 6901) into the file is VALUE:
 * text as it is, numbers and literals as JSON writes them, "#N" the length of a list or object. */
#include "util/fs.h"
#include "util/json.h"
#include "util/str.h"

int main(int argc, char **argv)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	CDA_AUTOFREE char *written = NULL;
	char length[32];
	yyjson_val *val;
	const char *got;

	if (argc != 4)
		return 2;
	if (cda_json_read(AT_FDCWD, argv[1], 64 << 20, &doc, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		cda_err_done(&err);
		return 1;
	}
	val = yyjson_doc_ptr_get(doc, argv[2]);
	written = val ? yyjson_val_write(val, 0, NULL) : NULL;
	got = yyjson_is_str(val) ? yyjson_get_str(val) : written ? written : "(absent)";
	if (argv[3][0] == '#' && yyjson_is_ctn(val)) {
		snprintf(length, sizeof(length), "#%zu", yyjson_get_len(val));
		got = length;
	}
	if (cda_streq(got, argv[3]))
		return 0;
	fprintf(stderr, "it is %s\n", got);
	return 1;
}
