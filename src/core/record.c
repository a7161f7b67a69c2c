/* record.c - copying, comparing and naming package records. */
#include "core/record.h"

#include "util/str.h"

#include <string.h>

static struct cda_texts copy_texts(struct cda_arena *arena, struct cda_texts texts)
{
	const char **v;

	if (texts.n == 0)
		return (struct cda_texts){NULL, 0};
	v = cda_arena_alloc(arena, texts.n * sizeof(*v));
	for (size_t i = 0; i < texts.n; i++)
		v[i] = cda_arena_strdup(arena, texts.v[i]);
	return (struct cda_texts){v, texts.n};
}

struct cda_record *cda_record_copy(struct cda_arena *arena, const struct cda_record *record)
{
	struct cda_record *copy = cda_arena_alloc(arena, sizeof(*copy));
	const char **const texts[] = {
		&copy->name,
		&copy->version,
		&copy->build,
		&copy->channel,
		&copy->channel_name,
		&copy->subdir,
		&copy->fn,
		&copy->url,
		&copy->md5,
		&copy->sha256,
		&copy->features,
		&copy->license,
		&copy->license_family,
		&copy->arch,
		&copy->platform,
		&copy->noarch_text,
		&copy->python_site_packages_path,
		&copy->requested_spec,
		&copy->extracted_package_dir,
	};

	*copy = *record;
	for (size_t i = 0; i < CDA_LEN(texts); i++)
		*texts[i] = cda_arena_strdup(arena, *texts[i]);
	copy->depends = copy_texts(arena, record->depends);
	copy->constrains = copy_texts(arena, record->constrains);
	copy->track_features = copy_texts(arena, record->track_features);
	return copy;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

void cda_record_dist(const struct cda_record *record, struct cda_buf *out)
{
	cda_buf_addf(out, "%s-%s-%s", text(record->name), text(record->version),
		     text(record->build));
}

void cda_record_format(const struct cda_record *record, struct cda_buf *out)
{
	const char *channel = record->channel_name ? record->channel_name : record->channel;

	if (channel && record->subdir)
		cda_buf_addf(out, "%s/%s::", channel, record->subdir);
	else if (channel)
		cda_buf_addf(out, "%s::", channel);
	cda_record_dist(record, out);
}

bool cda_record_same(const struct cda_record *a, const struct cda_record *b)
{
	return a == b ||
	       (cda_streq(a->name, b->name) && cda_streq(a->version, b->version) &&
		cda_streq(a->build, b->build) && a->build_number == b->build_number &&
		cda_streq(a->subdir, b->subdir) && cda_streq(a->channel_name, b->channel_name));
}

struct cda_str cda_record_stem(const char *fn)
{
	struct cda_str stem = cda_str(fn);

	if (cda_ends_with(fn, ".conda"))
		stem.len -= strlen(".conda");
	else if (cda_ends_with(fn, ".tar.bz2"))
		stem.len -= strlen(".tar.bz2");
	return stem;
}

bool cda_record_from_fn(struct cda_arena *arena, const char *fn, struct cda_record *ret)
{
	const char *slash = strrchr(fn, '/'), *build, *version, *digit;
	struct cda_str stem;
	int64_t number = 0;

	fn = slash ? slash + 1 : fn;
	stem = cda_record_stem(fn);
	build = memrchr(stem.p, '-', stem.len);
	version = build ? memrchr(stem.p, '-', (size_t)(build - stem.p)) : NULL;
	if (!version || version == stem.p || version + 1 == build || build + 1 == stem.p + stem.len)
		return false;
	*ret = (struct cda_record){
		.name = cda_arena_strndup(arena, stem.p, (size_t)(version - stem.p)),
		.version = cda_arena_strndup(arena, version + 1, (size_t)(build - version - 1)),
		.build = cda_arena_strndup(arena, build + 1,
					   (size_t)(stem.p + stem.len - build - 1)),
		.fn = cda_arena_strdup(arena, fn),
	};
	/* conda's convention: the build number is behind the last underscore */
	digit = strrchr(ret->build, '_');
	if (cda_parse_int(digit ? digit + 1 : ret->build, 0, INT32_MAX, &number))
		ret->build_number = number;
	return true;
}
