/* What condense-doctor reads: whatever the bytes, findings are single strings of their text, and
 * the report of them is printable text and UTF-8. */
#include "fuzz.h"
#include "doctor/listline.h"
#include "doctor/mountinfo.h"
#include "doctor/report.h"
#include "doctor/sources.h"

#include <stdlib.h>
#include <string.h>

struct bounds {
	const char *start, *end;
	struct cda_report *report;
};

static void take(void *ctx, const char *key, struct cda_span value)
{
	struct bounds *bounds = ctx;
	struct cda_place_of place;

	HOLDS(value.len > 0 && value.p >= bounds->start && value.p + value.len <= bounds->end);
	HOLDS(memchr(value.p, '\n', value.len) == NULL);
	if (bounds->report->count < 16)
		cda_report_add(bounds->report, CDA_PART_NETWORK, "host", CDA_NOTE, "%s %.*s", key,
			       (int)value.len, value.p);
	if (cda_url_place(value, &place) != 0)
		return;
	HOLDS(place.port > 0 && place.port <= 65535);
	HOLDS(place.host[0] != '\0' && strpbrk(place.host, " @/?#\\\r\n\t\"") == NULL);
	(void)cda_no_proxy(place.host, place.host);
}

static void check_report(const struct cda_report *report)
{
	for (int json = 0; json < 2; json++) {
		char *text = NULL;
		size_t len = 0, width = 0;
		FILE *out = open_memstream(&text, &len);

		if (out == NULL)
			return;
		if (json)
			cda_report_print_json(report, out);
		else
			cda_report_print(report, out, false);
		fclose(out);
		for (size_t i = 0; i < len; i++) {
			unsigned char c = (unsigned char)text[i];

			HOLDS((c >= 0x20 && c != 0x7f) || c == '\n');
			width = c == '\n' ? 0 : width + ((c & 0xc0) != 0x80);
			HOLDS(json || width <= 100);
		}
		free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	typedef void (*reader_fn)(struct cda_span text, cda_source_fn add, void *ctx);
	static const reader_fn readers[] = {cda_sources_list, cda_sources_deb822, cda_sources_apk,
					    cda_sources_condarc, cda_sources_pip};
	static struct cda_mount mount;
	struct cda_report report = {.count = 0};
	char *copy = malloc(len + 1);
	struct cda_span text = {copy, len};
	struct bounds bounds = {copy, copy + len, &report};

	if (copy == NULL)
		return 0;
	if (len > 0)
		memcpy(copy, p, len);
	copy[len] = '\0';
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
		readers[i](text, take, &bounds);
	for (enum cda_list_kind kind = CDA_LIST_CONDA; kind <= CDA_LIST_YAML; kind++)
		HOLDS(cda_list_refused(kind, text) >= 0);
	while (cda_mountinfo_next(&text, &mount)) {
		HOLDS(mount.point[0] == '/' && strlen(mount.point) < sizeof(mount.point));
		HOLDS(strlen(mount.type) < sizeof(mount.type));
		cda_report_add(&report, CDA_PART_MOUNTS, "mount", CDA_OK, "'%s'", mount.point);
	}
	cda_report_add(&report, CDA_PART_LISTS, "list", CDA_PROBLEM, "%s", copy);
	cda_report_about(&report, copy);
	check_report(&report);
	cda_report_free(&report);
	free(copy);
	return 0;
}
