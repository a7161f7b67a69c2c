#include "image/oci_choose.h"
#include "util/alloc.h"
#include "util/buf.h"
#include "util/str.h"

#include <string.h>
#include <sys/utsname.h>

void cda_platform_done(struct cda_platform *platform)
{
	free(platform->os);
	free(platform->arch);
	free(platform->variant);
	*platform = (struct cda_platform){0};
}

void cda_candidates_free_all(struct cda_candidates *found)
{
	cda_vec_each (c, found) {
		free(c->digest);
		free(c->ref);
		free(c->name);
		cda_platform_done(&c->platform);
	}
	cda_candidates_done(found);
}

bool cda_platform_fits(const struct cda_platform *have, const char *want)
{
	struct cda_str rest = cda_str(want), part;
	const char *const parts[] = {have->os, have->arch, have->variant};

	for (size_t i = 0; cda_str_cut(&rest, "/", &part); i++)
		if (i == CDA_LEN(parts) || !cda_str_eq(part, cda_str(parts[i] ? parts[i] : "")))
			return false;
	return true;
}

static char *our_platform(void)
{
	static const char *const names[][2] = {
		{"x86_64", "amd64"},        {"aarch64", "arm64"},   {"ppc64le", "ppc64le"},
		{"s390x", "s390x"},         {"riscv64", "riscv64"}, {"armv7l", "arm"},
		{"loongarch64", "loong64"}, {"i686", "386"},
	};
	struct utsname machine;

	if (uname(&machine) == 0)
		for (size_t i = 0; i < CDA_LEN(names); i++)
			if (cda_streq(machine.machine, names[i][0]))
				return cda_asprintf("linux/%s", names[i][1]);
	return cda_strdup("linux");
}

static bool is_named(const struct cda_candidate *c, const char *ref)
{
	if (cda_streq(c->ref, ref) || cda_streq(c->name, ref))
		return true;
	return cda_starts_with(ref, "sha256:") && c->digest && cda_starts_with(c->digest, ref);
}

static char *describe(const struct cda_candidate *c)
{
	CDA_AUTOBUF struct cda_buf out = CDA_BUF_INIT;

	cda_buf_adds(&out, c->name ? c->name : c->ref ? c->ref : c->digest ? c->digest : "?");
	if (c->platform.os || c->platform.arch)
		cda_buf_addf(&out, " (%s/%s%s%s)", c->platform.os ? c->platform.os : "?",
			     c->platform.arch ? c->platform.arch : "?",
			     c->platform.variant ? "/" : "",
			     c->platform.variant ? c->platform.variant : "");
	return cda_buf_take(&out);
}

static int cannot_choose(const struct cda_candidates *from, const char *why, struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	CDA_AUTOFREE char *list = NULL;

	for (size_t i = 0; i < from->n && i < 20; i++) {
		CDA_AUTOFREE char *one = describe(&from->v[i]);

		cda_strv_push(&names, one);
	}
	cda_strv_uniq(&names);
	list = cda_strv_join(&names, ", ");
	cda_err_set(err, CDA_E_NOTFOUND, "%s: it holds %s", why, list && *list ? list : "nothing");
	return cda_err_hint(err, "choose with --ref NAME and --platform OS/ARCH");
}

static bool same_image(const struct cda_candidates *list)
{
	for (size_t i = 1; i < list->n; i++)
		if (!cda_streq(list->v[i].digest, list->v[0].digest))
			return false;
	return true;
}

static bool is_told(const struct cda_platform *platform)
{
	return platform->os || platform->arch;
}

int cda_candidates_choose(const struct cda_candidates *from, const char *ref, const char *platform,
			  const struct cda_candidate **ret, struct cda_err *err)
{
	struct cda_candidates named = {0}, fit = {0};
	CDA_AUTOFREE char *ours = our_platform();
	const char *want = platform ? platform : ours;
	CDA_AUTOFREE char *why = cda_asprintf("no image in it is for '%s'", want);
	int rc = 0;

	cda_vec_each (c, from)
		if (!ref || is_named(c, ref))
			cda_candidates_push(&named, *c);
	cda_vec_each (c, &named)
		if (is_told(&c->platform) && cda_platform_fits(&c->platform, want))
			cda_candidates_push(&fit, *c);
	if (!fit.n)
		cda_vec_each (c, &named)
			if (!is_told(&c->platform) || !platform)
				cda_candidates_push(&fit, *c);
	if (!named.n)
		rc = cannot_choose(from, ref ? "no image in it has that name" : "no image", err);
	else if (!fit.n)
		rc = cannot_choose(&named, why, err);
	else if (!same_image(&fit))
		rc = cannot_choose(&fit, "there are several images in it", err);
	for (size_t i = 0; !rc && i < from->n; i++)
		if (from->v[i].digest == fit.v[0].digest) {
			*ret = &from->v[i];
			break;
		}
	cda_candidates_done(&named);
	cda_candidates_done(&fit);
	return rc;
}
