#include "release/mirrors.h"
#include "util/fs.h"
#include "util/str.h"
#include "util/url.h"

/* The second is the first one's other name today: a list with a real second source is better. */
static const char *const documented[] = {
	"https://repo.anaconda.com/miniconda",
	"https://repo.continuum.io/miniconda",
};

static int refuse(const char *word, const char *why, struct cda_err *err)
{
	CDA_AUTOFREE char *safe = cda_url_safe(word);

	cda_err_set(err, CDA_E_VALUE, "'%s' is no mirror: %s", safe, why);
	return cda_err_hint(err, "a mirror is an https://, http:// or file:// URL, or a folder");
}

static int add(struct cda_mirrors *mirrors, const char *word, struct cda_err *err)
{
	CDA_AUTOURL struct cda_url url = {0};
	CDA_AUTOFREE char *text = NULL;
	size_t len;

	if (!word[0]) /* else it would be the current folder */
		return refuse(word, "it is empty", err);
	if (!cda_url_has_scheme(word)) {
		CDA_AUTOFREE char *cwd = getcwd(NULL, 0);
		CDA_AUTOFREE char *path = cda_path_normal(word, cwd ? cwd : "/", NULL);

		if (!cda_fs_is_dir(AT_FDCWD, path))
			return refuse(word, "there is no such folder", err);
		text = cda_url_from_path(path);
	} else {
		text = cda_strdup(word);
	}
	if (!cda_url_parse(text, &url))
		return refuse(word, "it is no valid URL", err);
	if (strcmp(url.scheme, "file") != 0 && strcmp(url.scheme, "http") != 0 &&
	    strcmp(url.scheme, "https") != 0)
		return refuse(word, "its scheme is unknown", err);
	if (strcmp(url.scheme, "file") != 0 && (!url.host || !url.host[0]))
		return refuse(word, "it has no host", err);
	if (url.query || strchr(text, '#'))
		return refuse(word, "it has a query or a fragment", err);
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return refuse("", "it has blanks or control characters", err);
	len = strlen(text);
	while (len > 0 && text[len - 1] == '/' && !cda_ends_with(text, ":///"))
		text[--len] = '\0';
	cda_strv_push(&mirrors->urls, text);
	return 0;
}

int cda_mirrors_init(const struct cda_strv *options, const char *text, struct cda_mirrors *ret,
		     struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv words = {0};
	struct cda_mirrors mirrors = {.origin = CDA_MIRRORS_OPTION};
	int rc = 0;

	cda_strv_append(&words, options);
	if (words.n == 0 && text) {
		cda_strv_split(&words, text, " ,\t\r\n");
		mirrors.origin = CDA_MIRRORS_ENVIRONMENT;
	}
	if (words.n == 0) {
		for (size_t i = 0; i < CDA_LEN(documented); i++)
			cda_strv_push(&words, documented[i]);
		mirrors.origin = CDA_MIRRORS_DEFAULT;
	}
	for (size_t i = 0; rc == 0 && i < words.n; i++)
		rc = add(&mirrors, words.v[i], err);
	if (rc < 0) {
		cda_mirrors_done(&mirrors);
		return rc;
	}
	cda_strv_uniq(&mirrors.urls);
	*ret = mirrors;
	return 0;
}

void cda_mirrors_done(struct cda_mirrors *mirrors)
{
	cda_strv_done(&mirrors->urls);
}

char *cda_mirror_url(const char *mirror, const char *name)
{
	return cda_asprintf("%s/%s", mirror, name);
}
