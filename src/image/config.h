/* config.h - the configuration of an image: what `docker image inspect` prints, or the OCI file
 * (image-spec, config.md), read, edited and written. Of what an engine adds for itself (the name
 * of the build's container, …) nothing is kept. */
#ifndef CDA_IMAGE_CONFIG_H
#define CDA_IMAGE_CONFIG_H

#include "util/buf.h"
#include "util/err.h"
#include "util/json.h"

#include <stdint.h>

struct cda_config {
	char *arch, *os, *variant; /* variant may be NULL */
	yyjson_mut_doc *doc;
	yyjson_mut_val *config; /* "config" of the OCI file: User, Env, Entrypoint, … */
};

struct cda_config *cda_config_new(void); /* of this machine's architecture, else empty */
struct cda_config *cda_config_free(struct cda_config *config);
CDA_DEFINE_CLEANUP(struct cda_config *, cda_config_free)

/* Takes over what the text says. Errors: CDA_E_PARSE for text that is neither of the two, or has a
 * member of the wrong kind. */
int cda_config_parse(struct cda_config *config, const char *text, size_t len, const char *what,
		     struct cda_err *err) CDA_CHECK;

/* "Entrypoint" or "Cmd": a JSON array of texts, or one word; "" removes it. Errors: CDA_E_USAGE. */
int cda_config_words(struct cda_config *config, const char *key, const char *value,
		     struct cda_err *err) CDA_CHECK;
void cda_config_text(struct cda_config *config, const char *key, const char *value);
/* NAME=VALUE; one of the same name is replaced. Errors: CDA_E_USAGE. */
int cda_config_env(struct cda_config *config, const char *line, struct cda_err *err) CDA_CHECK;
void cda_config_label(struct cda_config *config, const char *name, const char *value);
const char *cda_config_get_label(const struct cda_config *config, const char *name); /* or NULL */
void cda_config_volume(struct cda_config *config, const char *path);

struct cda_config_layer {
	const char *diff_id; /* hex */
	const char *name;    /* for the history */
};

/* The OCI file for these layers: keys sorted, all times the epoch. */
void cda_config_format(const struct cda_config *config, const struct cda_config_layer *layers,
		       size_t n, int64_t epoch, struct cda_buf *out);

/* RFC 3339 in UTC. */
void cda_config_time(int64_t epoch, char ret_text[32]);

#endif
