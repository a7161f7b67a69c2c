#include "release/name.h"

static const char *const products[] = {NULL, "Miniconda3", "Miniforge3", "Condense3"};

/* name: in a file name; words: what else means it. old: only in names without a Python. */
static const struct {
	const char *name;
	bool old;
	const char *words[4];
} arches[] = {
	{"x86_64", false, {"amd64", "linux/amd64", "linux-64"}},
	{"aarch64", false, {"arm64", "linux/arm64", "linux-aarch64"}},
	{"ppc64le", false, {"linux/ppc64le", "linux-ppc64le"}},
	{"s390x", false, {"linux/s390x", "linux-s390x"}},
	{"x86", true, {"i686", "linux/386", "linux-32"}},
	{"armv7l", true, {"linux/arm/v7", "linux-armv7l"}},
};

const char *cda_product_name(enum cda_product product)
{
	return products[product];
}

bool cda_product_find(const char *name, enum cda_product *ret_product)
{
	for (size_t i = 1; i < CDA_LEN(products); i++)
		if (cda_strcaseeq(products[i], name)) {
			*ret_product = (enum cda_product)i;
			return true;
		}
	return false;
}

const char *cda_release_arch_find(const char *word)
{
	for (size_t i = 0; i < CDA_LEN(arches); i++) {
		if (cda_streq(arches[i].name, word))
			return arches[i].name;
		for (const char *const *w = arches[i].words; *w; w++)
			if (cda_streq(*w, word))
				return arches[i].name;
	}
	return NULL;
}

static bool skip(struct cda_str *rest, const char *text)
{
	size_t len = strlen(text);

	if (rest->len < len || memcmp(rest->p, text, len) != 0)
		return false;
	rest->p += len;
	rest->len -= len;
	return true;
}

/* As many digits as there are, at most max; 0 alone may begin with 0. */
static bool number(struct cda_str *rest, size_t max, int *ret_value)
{
	size_t n = 0;
	int value = 0;

	while (n < rest->len && cda_is_digit(rest->p[n])) {
		if (n == max)
			return false;
		value = value * 10 + (rest->p[n++] - '0');
	}
	if (n == 0 || (n > 1 && rest->p[0] == '0'))
		return false;
	rest->p += n;
	rest->len -= n;
	*ret_value = value;
	return true;
}

/* py310_ is 3.10, py3_ is 3 and no minor. */
static bool python(struct cda_str *rest, struct cda_release_name *name)
{
	struct cda_str major = {rest->p, 1};

	if (rest->len < 2 || rest->p[0] == '0' || !number(&major, 1, &name->py_major))
		return false;
	rest->p++;
	rest->len--;
	name->py_minor = -1;
	if (rest->p[0] != '_' && !number(rest, 3, &name->py_minor))
		return false;
	return skip(rest, "_");
}

static bool version(struct cda_str *rest, char ret_version[CDA_RELEASE_VERSION_MAX])
{
	struct cda_str all = *rest;
	int ignored;

	do {
		if (!number(rest, 8, &ignored))
			return false;
	} while (skip(rest, "."));
	all.len -= rest->len;
	if (all.len >= CDA_RELEASE_VERSION_MAX)
		return false;
	memcpy(ret_version, all.p, all.len);
	ret_version[all.len] = '\0';
	return true;
}

static bool arch(struct cda_str rest, struct cda_release_name *name)
{
	for (size_t i = 0; i < CDA_LEN(arches); i++)
		if (cda_str_eq(rest, cda_str(arches[i].name))) {
			if (arches[i].old && name->py_major != 0)
				return false;
			memcpy(name->arch, arches[i].name, strlen(arches[i].name) + 1);
			return true;
		}
	return false;
}

bool cda_release_name_parse(struct cda_str text, struct cda_release_name *ret_name)
{
	struct cda_release_name name = {.build = -1};

	for (size_t i = 1; i < CDA_LEN(products) && name.product == CDA_PRODUCT_ANY; i++)
		if (skip(&text, products[i]))
			name.product = (enum cda_product)i;
	if (name.product == CDA_PRODUCT_ANY || !skip(&text, "-"))
		return false;
	if (skip(&text, "py") && !python(&text, &name))
		return false;
	if (!version(&text, name.version))
		return false;
	if (!skip(&text, "-Linux-")) {
		if (!skip(&text, "-") || !number(&text, 6, &name.build) || !skip(&text, "-Linux-"))
			return false;
	}
	if (text.len < 3 || memcmp(text.p + text.len - 3, ".sh", 3) != 0)
		return false;
	text.len -= 3;
	if (!arch(text, &name))
		return false;
	*ret_name = name;
	return true;
}

static void add_release(const struct cda_release_name *name, struct cda_buf *out)
{
	cda_buf_adds(out, name->version);
	if (name->build >= 0)
		cda_buf_addf(out, "-%d", name->build);
}

static void copy_out(const struct cda_buf *text, char ret_text[CDA_RELEASE_NAME_MAX])
{
	size_t len = text->len < CDA_RELEASE_NAME_MAX ? text->len : CDA_RELEASE_NAME_MAX - 1;

	memcpy(ret_text, text->p, len);
	ret_text[len] = '\0';
}

void cda_release_name_format(const struct cda_release_name *name,
			     char ret_text[CDA_RELEASE_NAME_MAX])
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	cda_buf_addf(&text, "%s-", products[name->product]);
	if (name->py_major != 0) {
		cda_buf_addf(&text, "py%d", name->py_major);
		if (name->py_minor >= 0)
			cda_buf_addf(&text, "%d", name->py_minor);
		cda_buf_addc(&text, '_');
	}
	add_release(name, &text);
	cda_buf_addf(&text, "-Linux-%s.sh", name->arch);
	copy_out(&text, ret_text);
}

void cda_release_format(const struct cda_release_name *name, char ret_text[CDA_RELEASE_NAME_MAX])
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	add_release(name, &text);
	copy_out(&text, ret_text);
}

void cda_release_python_format(const struct cda_release_name *name,
			       char ret_text[CDA_RELEASE_NAME_MAX])
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	if (name->py_major != 0)
		cda_buf_addf(&text, "%d", name->py_major);
	if (name->py_major != 0 && name->py_minor >= 0)
		cda_buf_addf(&text, ".%d", name->py_minor);
	copy_out(&text, ret_text);
}

static int part(const char **at)
{
	int value = 0;

	while (cda_is_digit(**at) && value < 100000000)
		value = value * 10 + (*(*at)++ - '0');
	while (**at && **at != '.')
		(*at)++;
	if (**at == '.')
		(*at)++;
	return value;
}

int cda_release_version_cmp(const char *a, const char *b)
{
	while (*a || *b) {
		int x = *a ? part(&a) : -1, y = *b ? part(&b) : -1;

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

static int cmp_int(int a, int b)
{
	return (a > b) - (a < b);
}

int cda_release_name_cmp(const struct cda_release_name *a, const struct cda_release_name *b)
{
	int order = cda_release_version_cmp(a->version, b->version);

	if (order == 0)
		order = cmp_int(a->build, b->build);
	if (order == 0)
		order = cmp_int(a->py_major, b->py_major);
	if (order == 0)
		order = cmp_int(a->py_minor, b->py_minor);
	if (order == 0)
		order = cmp_int((int)a->product, (int)b->product);
	return order != 0 ? order : strcmp(a->arch, b->arch);
}

bool cda_release_name_is_latest(const char *text)
{
	return strstr(text, "-latest-") != NULL;
}
