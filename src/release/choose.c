/* The choice of cda_archive_resolve: our own table first, then the mirrors in order. */
#include "release/archive_impl.h"
#include "release/pinned.h"
#include "util/hash.h"

static int parse_name(const char *fn, struct cda_release_name *ret_name, struct cda_err *err)
{
	if (cda_release_name_parse(cda_str(fn), ret_name))
		return 0;
	if (cda_release_name_is_latest(fn)) {
		cda_err_set(err, CDA_E_VALUE, "'%s' is no release: its file changes", fn);
		return cda_err_hint(err, "'condense releases resolve --newest' names the release "
					 "that it is now");
	}
	cda_err_set(err, CDA_E_VALUE, "'%s' is no name of a release", fn);
	return cda_err_hint(err, "one is Miniconda3-py313_26.5.3-1-Linux-x86_64.sh");
}

static const struct cda_release *pick(const struct cda_archive_want *want,
				      const struct cda_release_name *name,
				      const struct cda_releases *list)
{
	return name ? cda_listing_find(list, name) : cda_request_pick(&want->request, list, false);
}

/* From the table alone. */
static bool pick_pinned(const struct cda_archive_want *want, const struct cda_release_name *name,
			struct cda_release *ret_release)
{
	const struct cda_release *found;
	struct cda_releases all = {0};

	if (name)
		return cda_pinned_find(name, ret_release);
	cda_pinned_add(&all);
	found = cda_request_pick(&want->request, &all, true);
	if (found)
		*ret_release = *found;
	cda_releases_done(&all);
	return found != NULL;
}

/* What the caller's hash makes certain needs no list: the name follows from the request. */
static bool compose(const struct cda_archive_want *want, const struct cda_release_name *name,
		    struct cda_release *ret_release)
{
	const struct cda_release_request *request = &want->request;
	const char *release = request->release ? request->release : request->conda;
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;

	*ret_release = (struct cda_release){0};
	if (name) {
		ret_release->name = *name;
		return true;
	}
	if (!request->py_major || request->py_minor < 0 || !release || !strchr(release, '-') ||
	    !request->arch)
		return false;
	cda_buf_addf(&text, "%s-py%d%d_%s-Linux-%s.sh",
		     cda_product_name(request->product ? request->product : CDA_MINICONDA3),
		     request->py_major, request->py_minor, release, request->arch);
	return cda_release_name_parse(cda_buf_str(&text), &ret_release->name);
}

struct answers {
	struct cda_err last;
	struct cda_buf text; /* of those that failed */
	size_t failed;
};

static void note_failure(struct cda_archive *archive, struct answers *answers, struct cda_err *err)
{
	cda_emit(&archive->config.events, CDA_EVENT_WARNING, "%s", err->msg);
	cda_buf_addf(&answers->text, "%s%s", answers->failed++ ? "; " : "", err->msg);
	cda_err_done(&answers->last);
	cda_err_move(&answers->last, err);
}

/* The first mirror that has it decides; with newest all of them do. */
static bool ask_mirrors(struct cda_archive *archive, const struct cda_archive_want *want,
			const struct cda_release_name *name, struct answers *answers,
			struct cda_release *ret_release)
{
	bool found = want->newest && pick_pinned(want, name, ret_release);

	for (size_t i = 0; i < archive->config.mirrors->n; i++) {
		const struct cda_release *release;
		struct cda_releases list = {0};
		struct cda_err err = {0};

		if (cda_archive_list(archive, i, &list, NULL, &err) < 0) {
			note_failure(archive, answers, &err);
			continue;
		}
		release = pick(want, name, &list);
		/* a list without the hash may be followed by one with it */
		if (release && (!found ||
				(want->newest &&
				 cda_release_name_cmp(&release->name, &ret_release->name) > 0) ||
				(!ret_release->sha256[0] && release->sha256[0] &&
				 cda_release_name_cmp(&release->name, &ret_release->name) == 0))) {
			*ret_release = *release;
			found = true;
		}
		cda_releases_done(&list);
		if (found && !want->newest && (ret_release->sha256[0] || want->sha256))
			break;
	}
	return found;
}

static int not_found(const struct cda_archive *archive, const struct cda_archive_want *want,
		     struct answers *answers, struct cda_err *err)
{
	CDA_AUTOFREE char *text =
		want->fn ? cda_strdup(want->fn) : cda_request_format(&want->request);

	if (answers->failed > 0 && answers->failed == archive->config.mirrors->n) {
		cda_err_set(err, answers->last.code,
			    "cannot find '%s': it is not pinned, and no "
			    "mirror can be asked: %s",
			    text, answers->text.p);
		cda_archive_hint(err);
	} else {
		cda_err_set(err, CDA_E_NOTFOUND, "no release for '%s'%s%s", text,
			    answers->failed ? ": " : "", answers->text.p);
	}
	return cda_err_hint(err, "'condense releases list' shows what there is, 'condense releases "
				 "mirrors --check' what the mirrors answer");
}

int cda_archive_resolve(struct cda_archive *archive, const struct cda_archive_want *want,
			struct cda_release *ret_release, struct cda_err *err)
{
	struct answers answers = {.text = CDA_BUF_INIT};
	struct cda_release_name parsed, *name = want->fn ? &parsed : NULL;
	struct cda_release release = {0};
	bool found = false;
	int rc = 0;

	if (want->sha256 && !cda_hash_is_hex(CDA_SHA256, want->sha256))
		return cda_err_set(err, CDA_E_USAGE, "'%s' is no sha256", want->sha256);
	if (name)
		rc = parse_name(want->fn, name, err);
	if (rc < 0)
		return rc;
	if (!want->newest)
		found = pick_pinned(want, name, &release);
	if (!found && name && want->sha256)
		found = compose(want, name, &release);
	if (!found)
		found = ask_mirrors(archive, want, name, &answers, &release);
	if (!found && want->sha256)
		found = compose(want, name, &release);
	if (!found)
		rc = not_found(archive, want, &answers, err);
	cda_buf_done(&answers.text);
	cda_err_done(&answers.last);
	if (rc < 0)
		return rc;
	if (want->sha256 && release.pinned && !cda_hash_eq(want->sha256, release.sha256)) {
		cda_err_set(err, CDA_E_CHECKSUM, "sha256 %s is not the pinned one, %s",
			    want->sha256, release.sha256);
		return cda_err_hint(err,
				    "leave out --sha256 or CONDA_SHA256: the pinned hash decides");
	}
	if (want->sha256) {
		memcpy(release.sha256, want->sha256, sizeof(release.sha256));
		cda_lower_inplace(release.sha256);
	} else if (!release.pinned && !want->trust_listing) {
		release.sha256[0] = '\0';
	}
	*ret_release = release;
	return 0;
}
