#include "osdb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
static const char native[] = "amd64";
#elif defined(__aarch64__)
static const char native[] = "arm64";
#else
#error "which architecture does dpkg call this one?"
#endif

/* What follows the name in a word of a list. */
struct wish {
	struct cda_span arch, version;
	bool is_range;
};

static struct wish wish_of(const char *text)
{
	const char *at = text + strcspn(text, ":=<>~");
	struct wish wish = {.is_range = false};

	if (*at == ':') {
		size_t len = strcspn(at + 1, "=");

		wish.arch = (struct cda_span){at + 1, len};
		at += 1 + len;
	}
	if (*at == '\0')
		return wish;
	wish.is_range = *at != '=' || strchr("=<>~", at[1]) != NULL;
	wish.version = (struct cda_span){at + 1, strlen(at + 1)};
	return wish;
}

static bool arch_fits(const struct cda_osdb *db, struct cda_span wanted)
{
	if (db->pm == CDA_APK || strcmp(db->arch, "all") == 0 || cda_span_is(wanted, "any"))
		return true;
	return wanted.len > 0 ? cda_span_is(wanted, db->arch) : strcmp(db->arch, native) == 0;
}

/* The record is over. */
static void settle(struct cda_osdb *db)
{
	bool whole = !db->bad && db->name[0] != '\0' && db->version[0] != '\0' &&
		     (db->pm == CDA_APK || (db->installed && db->arch[0] != '\0'));

	for (int i = 0; whole && i < db->list->count; i++) {
		const char *text = db->list->pkgs[i].text;
		size_t len = strlen(db->name);
		enum cda_held held = CDA_THERE;
		struct wish wish;

		if (strncmp(text, db->name, len) != 0 ||
		    (text[len] != '\0' && strchr(":=<>~", text[len]) == NULL))
			continue;
		wish = wish_of(text);
		if (!arch_fits(db, wish.arch))
			continue;
		if (wish.is_range)
			held = CDA_RANGE;
		else if (wish.version.len > 0 && !cda_span_is(wish.version, db->version))
			held = CDA_OTHER;
		if (db->held[i] < (uint8_t)held)
			db->held[i] = (uint8_t)held;
	}
	db->name[0] = db->version[0] = db->arch[0] = '\0';
	db->installed = db->bad = false;
}

static void take(struct cda_osdb *db, struct cda_span value, char *field, size_t cap)
{
	if (field[0] != '\0' || value.len == 0 || cda_span_copy(value, field, cap) != 0)
		db->bad = true;
}

/* "WANT FLAG STATE"; what is half configured or removed is not installed. */
static void take_status(struct cda_osdb *db, struct cda_span value)
{
	static const char end[] = " ok installed";
	size_t len = sizeof(end) - 1;

	if (db->installed)
		db->bad = true;
	db->installed = value.len > len && memcmp(value.p + value.len - len, end, len) == 0;
}

static void take_line(struct cda_osdb *db)
{
	static const char *const keys[][4] = {
		[CDA_APT] = {"Package: ", "Version: ", "Architecture: ", "Status: "},
		[CDA_APK] = {"P:", "V:", NULL, NULL}};
	bool cut = db->len > sizeof(db->line);
	struct cda_span line = {db->line, cut ? sizeof(db->line) : db->len};

	if (line.len == 0) {
		settle(db);
		return;
	}
	for (int i = 0; i < 4 && keys[db->pm][i] != NULL; i++) {
		size_t len = strlen(keys[db->pm][i]);
		struct cda_span value = {line.p + len, line.len - len};

		if (line.len < len || memcmp(line.p, keys[db->pm][i], len) != 0)
			continue;
		if (cut)
			db->bad = true;
		else if (i == 0)
			take(db, value, db->name, sizeof(db->name));
		else if (i == 1)
			take(db, value, db->version, sizeof(db->version));
		else if (i == 2)
			take(db, value, db->arch, sizeof(db->arch));
		else
			take_status(db, value);
	}
}

void cda_osdb_init(struct cda_osdb *db, enum cda_pm pm, const struct cda_reqlist *list,
		   uint8_t *held)
{
	*db = (struct cda_osdb){.pm = pm, .list = list, .held = held};
	memset(held, CDA_ABSENT, (size_t)list->count);
}

void cda_osdb_add(struct cda_osdb *db, const char *data, size_t len)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t part = end != NULL ? (size_t)(end - data) : len;

		if (db->len < sizeof(db->line)) {
			size_t room = sizeof(db->line) - db->len;

			memcpy(db->line + db->len, data, part < room ? part : room);
		}
		db->len += part;
		if (end != NULL) {
			take_line(db);
			db->len = 0;
			part++;
		}
		data += part;
		len -= part;
	}
}

void cda_osdb_end(struct cda_osdb *db)
{
	if (db->len > 0)
		take_line(db);
	db->len = 0;
	settle(db);
}

int cda_osdb_read(enum cda_pm pm, const struct cda_reqlist *list, uint8_t *held)
{
	static const char *const paths[] = {
		[CDA_APT] = "/var/lib/dpkg/status", [CDA_APK] = "/lib/apk/db/installed"};
	char data[16384];
	struct cda_osdb db;
	struct stat st;
	ssize_t got;
	int fd;

	cda_osdb_init(&db, pm, list, held);
	fd = cda_file_open(AT_FDCWD, paths[pm], &st);
	if (fd < 0)
		return fd;
	if (st.st_uid != 0 || (st.st_mode & 022) != 0) {
		close(fd);
		return -EPERM;
	}
	while ((got = read(fd, data, sizeof(data))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		cda_osdb_add(&db, data, (size_t)got);
	}
	close(fd);
	if (got < 0) {
		cda_osdb_init(&db, pm, list, held);
		return -EIO;
	}
	cda_osdb_end(&db);
	return 0;
}
