#include "release/listing.h"
#include "util/fs.h"
#include "util/hash.h"
#include "util/json.h"

#include <errno.h>
#include <time.h>

static void set_hash(struct cda_release *release, const char *hex)
{
	if (!hex || !cda_hash_is_hex(CDA_SHA256, hex))
		return;
	memcpy(release->sha256, hex, CDA_SHA256_HEX);
	cda_lower_inplace(release->sha256);
}

int cda_listing_parse_json(const char *text, size_t len, const char *what,
			   struct cda_releases *list, size_t *ret_skipped, struct cda_err *err)
{
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	yyjson_obj_iter iter;
	yyjson_val *key, *root;
	size_t skipped = 0;
	int rc = cda_json_parse(text, len, what, &doc, err);

	if (rc < 0)
		return rc;
	root = yyjson_doc_get_root(doc);
	if (!yyjson_is_obj(root))
		return cda_err_set(err, CDA_E_PARSE, "'%s' is no list of files", what);
	yyjson_obj_iter_init(root, &iter);
	while ((key = yyjson_obj_iter_next(&iter))) {
		struct cda_str name = {yyjson_get_str(key), yyjson_get_len(key)};
		yyjson_val *val = yyjson_obj_iter_get_val(key), *mtime;
		struct cda_release release = {0};
		int64_t size;

		if (!yyjson_is_obj(val) || !cda_release_name_parse(name, &release.name)) {
			skipped++;
			continue;
		}
		set_hash(&release, cda_json_str(val, "sha256"));
		size = cda_json_int(val, "size", 0);
		release.size = size > 0 ? (uint64_t)size : 0;
		mtime = yyjson_obj_get(val, "mtime");
		if (yyjson_is_num(mtime) && yyjson_get_num(mtime) > 0 &&
		    yyjson_get_num(mtime) < 1e11)
			release.mtime = (int64_t)yyjson_get_num(mtime);
		cda_releases_push(list, release);
	}
	if (ret_skipped)
		*ret_skipped = skipped;
	return 0;
}

void cda_listing_format(const struct cda_releases *list, struct cda_buf *out)
{
	char name[CDA_RELEASE_NAME_MAX];
	const char *separator = "";

	cda_buf_addc(out, '{');
	cda_vec_each (release, list) {
		const char *comma = "";

		cda_release_name_format(&release->name, name);
		cda_buf_addf(out, "%s\n  \"%s\": {", separator, name);
		if (release->mtime > 0) {
			cda_buf_addf(out, "\"mtime\": %jd", (intmax_t)release->mtime);
			comma = ", ";
		}
		if (release->sha256[0]) {
			cda_buf_addf(out, "%s\"sha256\": \"%s\"", comma, release->sha256);
			comma = ", ";
		}
		if (release->size > 0)
			cda_buf_addf(out, "%s\"size\": %ju", comma, (uintmax_t)release->size);
		cda_buf_addc(out, '}');
		separator = ",";
	}
	cda_buf_adds(out, "\n}\n");
}

static int by_name(const void *a, const void *b)
{
	const struct cda_release *x = a, *y = b;

	return cda_release_name_cmp(&x->name, &y->name);
}

/* Two sources of one name: what one does not tell the other may; two hashes are none. */
static void merge(struct cda_release *into, const struct cda_release *from, bool *conflict)
{
	if (into->pinned)
		return;
	if (from->pinned) {
		*into = *from;
		return;
	}
	if (into->sha256[0] && from->sha256[0] && strcmp(into->sha256, from->sha256) != 0)
		*conflict = true;
	if (!into->sha256[0])
		memcpy(into->sha256, from->sha256, sizeof(into->sha256));
	if (into->size == 0)
		into->size = from->size;
	if (into->mtime == 0)
		into->mtime = from->mtime;
}

void cda_listing_sort(struct cda_releases *list)
{
	bool conflict = false;
	size_t n = 0;

	if (list->n > 0)
		qsort(list->v, list->n, sizeof(list->v[0]), by_name);
	for (size_t i = 0; i < list->n; i++) {
		if (n > 0 && by_name(&list->v[n - 1], &list->v[i]) == 0) {
			merge(&list->v[n - 1], &list->v[i], &conflict);
			if (conflict && !list->v[n - 1].pinned)
				list->v[n - 1].sha256[0] = '\0';
			continue;
		}
		conflict = false;
		list->v[n++] = list->v[i];
	}
	list->n = n;
}

const struct cda_release *cda_listing_find(const struct cda_releases *sorted,
					   const struct cda_release_name *name)
{
	struct cda_release key = {.name = *name};

	return sorted->n == 0 ? NULL
			      : bsearch(&key, sorted->v, sorted->n, sizeof(sorted->v[0]), by_name);
}

/* 0 where the folder has no list. */
static int read_list(int fd, struct cda_releases *list, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	int rc;

	if (!cda_fs_is_file(fd, ".files.json"))
		return 0;
	rc = cda_fs_read(fd, ".files.json", CDA_LISTING_MAX, &text, err);
	return rc < 0 ? rc
		      : cda_listing_parse_json(text.p, text.len, ".files.json", list, NULL, err);
}

static void read_hash_file(int fd, const char *name, struct cda_release *release)
{
	CDA_AUTOFREE char *path = cda_asprintf("%s.sha256", name);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	struct cda_err err = {0};
	size_t n = 0;

	if (!cda_fs_is_file(fd, path) || cda_fs_read(fd, path, 4096, &text, &err) < 0) {
		cda_err_done(&err);
		return;
	}
	while (n < text.len && !cda_is_space(text.p[n]))
		n++;
	cda_buf_cut(&text, n);
	set_hash(release, text.p);
}

int cda_listing_read_folder(const char *path, struct cda_releases *list, size_t *ret_skipped,
			    struct cda_err *err)
{
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_releases told = {0};
	CDA_AUTOCLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t skipped = 0;
	int rc;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot read the folder '%s'", path);
	rc = cda_fs_list(fd, ".", &names, err);
	if (rc == 0)
		rc = read_list(fd, &told, err);
	if (rc == 0)
		cda_listing_sort(&told);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		struct cda_release release = {0};
		const struct cda_release *known;
		struct stat st;

		if (!cda_release_name_parse(cda_str(names.v[i]), &release.name) ||
		    fstatat(fd, names.v[i], &st, 0) != 0 || !S_ISREG(st.st_mode)) {
			skipped++;
			continue;
		}
		known = cda_listing_find(&told, &release.name);
		if (known)
			memcpy(release.sha256, known->sha256, sizeof(release.sha256));
		else
			read_hash_file(fd, names.v[i], &release);
		release.size = (uint64_t)st.st_size;
		release.mtime = st.st_mtim.tv_sec;
		cda_releases_push(list, release);
	}
	cda_releases_done(&told);
	if (rc == 0 && ret_skipped)
		*ret_skipped = skipped;
	return rc < 0 ? cda_err_wrap(err, rc, "cannot list '%s'", path) : 0;
}

int cda_listing_write_folder(const char *path, size_t *ret_count, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOSTRV struct cda_strv names = {0};
	struct cda_releases list = {0};
	CDA_AUTOCLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t count;
	int rc;

	if (fd < 0)
		return cda_err_sys(err, errno, "cannot read the folder '%s'", path);
	rc = cda_fs_list(fd, ".", &names, err);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		struct cda_release release = {0};
		char hex[CDA_HASH_HEX_MAX];
		struct stat st;

		if (!cda_release_name_parse(cda_str(names.v[i]), &release.name) ||
		    fstatat(fd, names.v[i], &st, 0) != 0 || !S_ISREG(st.st_mode))
			continue;
		rc = cda_hash_file(CDA_SHA256, fd, names.v[i], hex, err);
		if (rc < 0)
			break;
		set_hash(&release, hex);
		release.size = (uint64_t)st.st_size;
		cda_releases_push(&list, release);
	}
	cda_listing_sort(&list);
	cda_listing_format(&list, &text);
	count = list.n;
	cda_releases_done(&list);
	if (rc == 0)
		rc = cda_fs_replace(fd, ".files.json", text.p, text.len, 0644, false, err);
	if (rc < 0)
		return cda_err_wrap(err, rc, "cannot list '%s'", path);
	if (ret_count)
		*ret_count = count;
	return 0;
}

uint64_t cda_listing_size(struct cda_str text)
{
	static const char units[] = "kmgt";
	struct cda_str rest = cda_str_trim(text);
	double value = 0, place = 0;
	size_t i = 0;

	for (; i < rest.len && (cda_is_digit(rest.p[i]) || rest.p[i] == '.'); i++) {
		if (rest.p[i] == '.' && place > 0)
			return 0;
		if (rest.p[i] == '.') {
			place = 1;
			continue;
		}
		value = value * 10 + (rest.p[i] - '0');
		place *= 10;
		if (value > 1e15)
			return 0;
	}
	if (i == 0)
		return 0;
	if (place > 1)
		value /= place;
	rest = cda_str_trim((struct cda_str){rest.p + i, rest.len - i});
	if (rest.len == 0 || (rest.len == 1 && cda_lower(rest.p[0]) == 'b'))
		return (uint64_t)value;
	for (size_t k = 0; units[k]; k++) {
		value *= 1024;
		if (cda_lower(rest.p[0]) == units[k] && value < 1e15 &&
		    (rest.len == 1 || cda_lower(rest.p[rest.len - 1]) == 'b') && rest.len <= 3)
			return (uint64_t)value;
	}
	return 0;
}

static bool digits(const char *p, size_t n, int *ret_value)
{
	*ret_value = 0;
	for (size_t i = 0; i < n; i++) {
		if (!cda_is_digit(p[i]))
			return false;
		*ret_value = *ret_value * 10 + (p[i] - '0');
	}
	return true;
}

int64_t cda_listing_time(struct cda_str text)
{
	struct cda_str rest = cda_str_trim(text);
	struct tm tm = {0};
	time_t when;

	if (rest.len < 10 || rest.p[4] != '-' || rest.p[7] != '-' ||
	    !digits(rest.p, 4, &tm.tm_year) || !digits(rest.p + 5, 2, &tm.tm_mon) ||
	    !digits(rest.p + 8, 2, &tm.tm_mday) || tm.tm_year < 1970)
		return 0;
	if (rest.len >= 16 && (rest.p[10] == ' ' || rest.p[10] == 'T') && rest.p[13] == ':') {
		if (!digits(rest.p + 11, 2, &tm.tm_hour) || !digits(rest.p + 14, 2, &tm.tm_min))
			return 0;
		if (rest.len >= 19 && rest.p[16] == ':' && !digits(rest.p + 17, 2, &tm.tm_sec))
			return 0;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	when = timegm(&tm);
	return when > 0 ? when : 0;
}
