#include "release/resolve.h"
#include "util/map.h"

static int bad(const char *option, const char *value, const char *hint, struct cda_err *err)
{
	cda_err_set(err, CDA_E_USAGE, "--%s cannot be '%s'", option, value);
	return cda_err_hint(err, "%s", hint);
}

static bool is_version(const char *text, size_t len)
{
	bool digit = false;

	if (len == 0 || len >= CDA_RELEASE_VERSION_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!cda_is_digit(text[i]) && !(text[i] == '.' && digit))
			return false;
		digit = text[i] != '.';
	}
	return digit;
}

/* "3.13", "313", "py313", "3" */
static bool parse_python(const char *text, struct cda_release_request *request)
{
	int64_t minor = -1;

	if (cda_starts_with(text, "py"))
		text += 2;
	if (text[0] < '1' || text[0] > '9')
		return false;
	request->py_major = text[0] - '0';
	text += text[1] == '.' ? 2 : 1;
	if (text[0] && !cda_parse_int(text, 0, 999, &minor))
		return false;
	request->py_minor = (int)minor;
	return text[0] || text[-1] != '.';
}

static bool is_release(const char *text)
{
	const char *dash = strchr(text, '-');
	int64_t build;

	return is_version(text, dash ? (size_t)(dash - text) : strlen(text)) &&
	       (!dash || cda_parse_int(dash + 1, 0, 999999, &build));
}

int cda_request_init(const char *product, const char *python, const char *conda,
		     const char *release, const char *arch, struct cda_release_request *ret,
		     struct cda_err *err)
{
	struct cda_release_request request = {.conda = conda, .py_minor = -1};

	if (product && !cda_product_find(product, &request.product))
		return bad("product", product, "it is Miniconda3, Miniforge3 or Condense3", err);
	if (python && !parse_python(python, &request))
		return bad("python", python, "it is a version as 3.13", err);
	if (conda && !is_release(conda))
		return bad("conda", conda, "it is a version as 26.5.3, or a release as 26.5.3-1",
			   err);
	if (release) {
		const char *bar = strchr(release, '_');

		request.release = bar ? bar + 1 : release;
		if (bar) {
			CDA_AUTOFREE char *tag = cda_strndup(release, (size_t)(bar - release));

			if (!cda_starts_with(tag, "py") || !parse_python(tag, &request))
				return bad("release", release, "it is as 26.5.3-1", err);
		}
		if (!is_release(request.release))
			return bad("release", release, "it is as 26.5.3-1", err);
	}
	if (arch) {
		request.arch = cda_release_arch_find(arch);
		if (!request.arch)
			return bad("arch", arch,
				   "it is x86_64, aarch64, ppc64le, s390x, x86 or armv7l", err);
	}
	*ret = request;
	return 0;
}

/* conda's version is text's, or begins with it, whole numbers only. */
static bool begins(const char *version, const char *text, size_t len)
{
	return strncmp(version, text, len) == 0 && (!version[len] || version[len] == '.');
}

static bool takes_conda(const char *conda, const struct cda_release_name *name)
{
	char release[CDA_RELEASE_NAME_MAX];

	if (!strchr(conda, '-'))
		return begins(name->version, conda, strlen(conda));
	cda_release_format(name, release);
	return strcmp(release, conda) == 0;
}

bool cda_request_takes(const struct cda_release_request *request,
		       const struct cda_release_name *name)
{
	char release[CDA_RELEASE_NAME_MAX];

	cda_release_format(name, release);
	return (!request->product || request->product == name->product) &&
	       (!request->py_major ||
		(request->py_major == name->py_major &&
		 (request->py_minor < 0 || request->py_minor == name->py_minor))) &&
	       (!request->conda || takes_conda(request->conda, name)) &&
	       (!request->release || strcmp(request->release, release) == 0) &&
	       (!request->arch || strcmp(request->arch, name->arch) == 0);
}

const struct cda_release *cda_request_pick(const struct cda_release_request *request,
					   const struct cda_releases *list, bool pinned)
{
	const struct cda_release *best = NULL;
	bool best_whole = false;

	cda_vec_each (release, list) {
		bool whole;

		if ((pinned && !release->pinned) || !cda_request_takes(request, &release->name))
			continue;
		whole = request->conda && strcmp(request->conda, release->name.version) == 0;
		if (!best || (whole && !best_whole) ||
		    (whole == best_whole &&
		     cda_release_name_cmp(&release->name, &best->name) > 0)) {
			best = release;
			best_whole = whole;
		}
	}
	return best;
}

static char *kind_of(const struct cda_release_name *name)
{
	return cda_asprintf("%d %d.%d %s", (int)name->product, name->py_major, name->py_minor,
			    name->arch);
}

void cda_request_filter(const struct cda_release_request *request, bool newest,
			struct cda_releases *list)
{
	CDA_CLEANUP(cda_map_freep) struct cda_map *kinds = cda_map_new();
	size_t n = list->n;

	/* from the newest on: the first of a kind stays */
	for (size_t i = list->n; i-- > 0;) {
		CDA_AUTOFREE char *kind = NULL;

		if (!cda_request_takes(request, &list->v[i].name))
			continue;
		if (newest) {
			kind = kind_of(&list->v[i].name);
			if (cda_map_has(kinds, kind))
				continue;
			cda_map_set(kinds, kind, NULL);
		}
		list->v[--n] = list->v[i];
	}
	if (n > 0 && n < list->n)
		memmove(list->v, list->v + n, (list->n - n) * sizeof(list->v[0]));
	list->n -= n;
}

char *cda_request_format(const struct cda_release_request *request)
{
	struct cda_release_name python = {.py_major = request->py_major,
					  .py_minor = request->py_minor};
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	char version[CDA_RELEASE_NAME_MAX];

	if (request->product)
		cda_buf_addf(&text, "%s, ", cda_product_name(request->product));
	cda_release_python_format(&python, version);
	if (version[0])
		cda_buf_addf(&text, "Python %s, ", version);
	if (request->conda)
		cda_buf_addf(&text, "conda %s, ", request->conda);
	if (request->release)
		cda_buf_addf(&text, "release %s, ", request->release);
	if (request->arch)
		cda_buf_addf(&text, "%s, ", request->arch);
	if (text.len == 0)
		return cda_strdup("any release");
	cda_buf_cut(&text, text.len - 2);
	return cda_buf_take(&text);
}
