/* Whatever a file holds: it is an image or an error with a message; its entries lie inside, no
 * layer hides more than it brought, and the report of it is sound JSON and a page without a name
 * that became markup. */
#include "fuzz.h"
#include "image/size.h"
#include "image/size_print.h"
#include "util/fs.h"
#include "util/json.h"
#include "util/str.h"

#include <string.h>
#include <sys/mman.h>

static void check_reports(const struct cda_size *size)
{
	struct cda_size_print how = {10, 60};
	CDA_AUTOBUF struct cda_buf table = CDA_BUF_INIT, json = CDA_BUF_INIT, page = CDA_BUF_INIT;
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	struct cda_err err = {0};
	const char *end;
	unsigned scripts = 0;

	cda_size_table(size, NULL, &how, &table);
	for (size_t i = 0; i < table.len; i++)
		HOLDS((unsigned char)table.p[i] >= ' ' || table.p[i] == '\n');
	cda_size_json(size, size, &how, &json);
	HOLDS(cda_json_parse(json.p, json.len, "report", &doc, &err) == 0);
	cda_size_html(size, NULL, &page);
	for (end = page.p; (end = strstr(end, "<script")); end++)
		scripts++;
	HOLDS(scripts == 2);
	HOLDS(cda_str_is_utf8(page.p) && strlen(page.p) == page.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct cda_oci_options options = {.limits = {1 << 20, 1000}};
	CDA_AUTOCLOSE int fd = memfd_create("image", MFD_CLOEXEC);
	CDA_AUTOFREE char *path = cda_asprintf("/proc/self/fd/%d", fd);
	struct cda_size size = {0};
	struct cda_err err = {0};

	HOLDS(fd >= 0 && cda_fs_write_all(fd, p, len) == 0);
	if (cda_size_read(path, &options, &size, &err)) {
		HOLDS(err.code != CDA_OK && err.msg);
		cda_err_done(&err);
		return 0;
	}
	for (size_t i = 0; i < size.image.tree->n; i++)
		HOLDS(cda_fs_path_is_inside(size.image.tree->v[i]->path));
	cda_vec_each (layer, &size.image.layers)
		HOLDS(layer->hidden <= layer->content);
	check_reports(&size);
	cda_size_done(&size);
	return 0;
}
