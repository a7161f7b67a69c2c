/* show.h - settings as text: what `conda config --show`, --show-sources, --describe and
 * --write-default print. Names are setting names; NULL or empty asks for all. */
#ifndef CDA_CONFIG_SHOW_H
#define CDA_CONFIG_SHOW_H

#include "config/settings.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/json.h"

/* Each appends text that ends in a newline. Errors: CDA_E_USAGE for an unknown name. */
int cda_config_show(const struct cda_settings *settings, const struct cda_strv *names,
		    struct cda_buf *out, struct cda_err *err) CDA_CHECK;
void cda_config_show_sources(const struct cda_settings *settings, struct cda_buf *out);
int cda_config_describe(const struct cda_strv *names, struct cda_buf *out, struct cda_err *err)
	CDA_CHECK;
/* The text of a .condarc with every setting as a comment. */
void cda_config_write_default(struct cda_buf *out);

/* The same as JSON values of doc. */
int cda_config_show_json(const struct cda_settings *settings, const struct cda_strv *names,
			 yyjson_mut_doc *doc, yyjson_mut_val **ret, struct cda_err *err) CDA_CHECK;
yyjson_mut_val *cda_config_show_sources_json(const struct cda_settings *settings,
					     yyjson_mut_doc *doc);
int cda_config_describe_json(const struct cda_strv *names, yyjson_mut_doc *doc,
			     yyjson_mut_val **ret, struct cda_err *err) CDA_CHECK;

#endif
