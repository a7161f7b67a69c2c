#include "client/specfile.h"

#include "util/buf.h"
#include "util/fs.h"
#include "util/str.h"

#include <errno.h>

/* A comment begins with '#' at the start of the line or behind a blank: "#" is also part of an URL
 * (URL#md5). */
static struct cda_str without_comment(struct cda_str line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.p[i] == '#' && (i == 0 || cda_is_space(line.p[i - 1]))) {
			line.len = i;
			break;
		}
	}
	return cda_str_trim(line);
}

int cda_specfile_parse(const char *text, size_t len, const char *path, struct cda_strv *specs,
		       bool *ret_explicit, struct cda_err *err)
{
	struct cda_str rest = {text, len}, line;
	unsigned number = 0;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		rest = (struct cda_str){text + 3, len - 3};
	if (memchr(text, '\0', len)) {
		cda_err_set(err, CDA_E_VALUE, "'%s' is no text file", path);
		return -CDA_E_VALUE;
	}
	while (cda_str_cut(&rest, "\n", &line)) {
		number++;
		line = without_comment(line);
		if (line.len == 0)
			continue;
		if (cda_str_eq(line, CDA_STR("@EXPLICIT"))) {
			*ret_explicit = true;
			continue;
		}
		if (line.p[0] == '-' || line.len > 4096) {
			CDA_AUTOFREE char *shown = cda_str_dup(
				(struct cda_str){line.p, line.len > 60 ? 60 : line.len});

			cda_err_set(err, CDA_E_VALUE, "%s, line %u: '%s' is no package spec", path,
				    number, shown);
			return cda_err_hint(err, "one spec a line, such as 'numpy>=2'; an "
						 "environment.yml is for `conda env create -f`");
		}
		{
			CDA_AUTOFREE char *spec = cda_str_dup(line);

			cda_strv_push(specs, spec);
		}
	}
	return 0;
}

int cda_specfile_read(const char *path, struct cda_strv *specs, bool *ret_explicit,
		      struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err inner = {0};

	if (cda_fs_read(AT_FDCWD, path, CDA_SPECFILE_MAX, &text, &inner) < 0) {
		cda_err_set(err, CDA_E_FILE, "'%s'. %s", path, inner.msg);
		cda_err_done(&inner);
		return -CDA_E_FILE;
	}
	return cda_specfile_parse(text.p, text.len, path, specs, ret_explicit, err);
}

char *cda_specfile_explicit(const struct cda_channel_config *config,
			    const struct cda_record *record)
{
	struct cda_channel channel = {0};
	struct cda_err err = {0};
	char *spec = NULL;

	if (record->channel && record->subdir &&
	    cda_channel_parse(config, record->channel, &channel, &err) >= 0) {
		if (channel.name && *channel.name)
			spec = cda_asprintf("%s/%s::%s==%s=%s", channel.name, record->subdir,
					    record->name, record->version, record->build);
		cda_channel_done(&channel);
	}
	cda_err_done(&err);
	return spec ? spec
		    : cda_asprintf("%s==%s=%s", record->name, record->version, record->build);
}
