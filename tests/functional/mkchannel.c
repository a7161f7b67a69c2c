/* mkchannel - makes a channel folder out of a text table, for the functional tests.
 *
 *	mkchannel DIR [TABLE]          (the table from stdin without TABLE)
 *
 * A table is lines; `#` begins a comment at the start of a line. Later lines belong to the last
 * `package`, content lines (`|` and one blank in front) to the last `file` or `script`:
 *
 *	package hello 1.0 h_0            NAME VERSION BUILD [noarch python|generic] [bz2] [old]
 *	  depends libz >=1.2             one per line
 *	  constrains foo <2
 *	  subdir linux-64                default: noarch, or this platform's
 *	  license MIT
 *	  track_features x
 *	  timestamp 1700000000000
 *	  entry hello = hello.cli:main   noarch python
 *	  extra "sha256": "00"           member for the repodata entry in place of the true one
 *	  file bin/hello 0755            PATH [MODE] [binary] [no_link] [unlisted] [badsum]
 *	  | #!@PREFIX@/bin/sh            @PREFIX@ is the build prefix, to be replaced at install
 *	  | echo hello
 *	  link bin/hi hello              symbolic link PATH TARGET
 *	  dir var/empty
 *	  script post-link               file bin/.NAME-post-link.sh, 0755
 *	  | echo done > "$PREFIX/.messages.txt"
 *
 * In `binary` files every @PREFIX@ and every \0 (written so) are made to bytes, and prefixes are
 * replaced as in binary files. Folders, modes and times are the same each time. */
#include "../unit/package.h"

struct table {
	struct tpkg *pkgs;
	size_t n;
	struct tpkg_file *files; /* of the last package; room for 1 + MAX_FILES */
	size_t n_files;
};

enum { MAX_PACKAGES = 512, MAX_FILES = 255 };

static void die(unsigned line, const char *why)
{
	fprintf(stderr, "mkchannel: line %u: %s\n", line, why);
	exit(2);
}

static void add_text(const char **list, size_t max, const char *text, unsigned line)
{
	for (size_t i = 0; i < max; i++) {
		if (!list[i]) {
			list[i] = cda_strdup(text);
			return;
		}
	}
	die(line, "too many of these");
}

static struct tpkg_file *add_file(struct table *t, const char *path, unsigned line)
{
	if (t->n == 0 || t->n_files == MAX_FILES)
		die(line, t->n ? "too many files" : "no package yet");
	t->files[t->n_files].path = cda_strdup(path);
	return &t->files[t->n_files++];
}

static void begin_package(struct table *t, struct cda_strv *words, unsigned line)
{
	struct tpkg *pkg = &t->pkgs[t->n++];

	if (words->n < 4 || t->n == MAX_PACKAGES)
		die(line, "package NAME VERSION BUILD");
	*pkg = (struct tpkg){cda_strdup(words->v[1]), cda_strdup(words->v[2]),
			     cda_strdup(words->v[3])};
	for (size_t i = 4; i < words->n; i++) {
		if (cda_streq(words->v[i], "noarch") && i + 1 < words->n)
			pkg->noarch = cda_strdup(words->v[++i]);
		else if (cda_streq(words->v[i], "bz2"))
			pkg->bz2 = true;
		else if (cda_streq(words->v[i], "old"))
			pkg->old_layout = true;
		else
			die(line, "unknown word behind the build");
	}
	t->files = cda_alloc0(MAX_FILES + 1, sizeof(*t->files));
	t->n_files = 0;
	pkg->files = t->files;
}

static void file_words(struct tpkg_file *file, struct cda_strv *words, unsigned line)
{
	for (size_t i = 2; i < words->n; i++) {
		if (cda_is_digit(words->v[i][0]))
			file->mode = (unsigned)strtoul(words->v[i], NULL, 8);
		else if (cda_streq(words->v[i], "binary"))
			file->prefix = "binary";
		else if (cda_streq(words->v[i], "no_link"))
			file->no_link = true;
		else if (cda_streq(words->v[i], "unlisted"))
			file->unlisted = true;
		else if (cda_streq(words->v[i], "badsum"))
			file->sha256 = "00000000000000000000000000000000"
				       "00000000000000000000000000000000";
		else
			die(line, "unknown word behind the file");
	}
}

/* Adds a content line with @PREFIX@ and \0 made to what they stand for. */
static void add_content(struct table *t, const char *text, unsigned line)
{
	struct tpkg_file *file = t->n_files ? &t->files[t->n_files - 1] : NULL;
	CDA_AUTOBUF struct cda_buf buf = CDA_BUF_INIT;

	if (!file || file->link || file->dir)
		die(line, "no file before this");
	bool binary = file->prefix && cda_streq(file->prefix, "binary");

	if (file->text)
		cda_buf_add(&buf, file->text, file->len);
	while (*text) {
		if (cda_starts_with(text, "@PREFIX@")) {
			cda_buf_adds(&buf, TPKG_PLACEHOLDER);
			text += strlen("@PREFIX@");
			if (!binary)
				file->prefix = "text";
		} else if (binary && cda_starts_with(text, "\\0")) {
			cda_buf_add(&buf, "", 1);
			text += 2;
		} else {
			cda_buf_addc(&buf, *text++);
		}
	}
	cda_buf_addc(&buf, '\n');
	free((char *)file->text);
	file->len = buf.len;
	file->text = cda_buf_take(&buf);
}

static void read_line(struct table *t, const char *text, unsigned line)
{
	CDA_AUTOSTRV struct cda_strv words = {0};
	const char *rest = text + strspn(text, " \t");
	struct tpkg *pkg = t->n ? &t->pkgs[t->n - 1] : NULL;

	if (*rest == '|') {
		add_content(t, rest[1] == ' ' ? rest + 2 : rest + 1, line);
		return;
	}
	cda_strv_split(&words, text, " \t");
	if (words.n == 0 || words.v[0][0] == '#')
		return;
	if (cda_streq(words.v[0], "package")) {
		begin_package(t, &words, line);
		return;
	}
	if (!pkg || words.n < 2)
		die(line, "a word and its value, below a package");
	rest += strlen(words.v[0]);
	rest += strspn(rest, " \t");
	if (cda_streq(words.v[0], "depends")) {
		add_text(pkg->depends, CDA_LEN(pkg->depends), rest, line);
	} else if (cda_streq(words.v[0], "constrains")) {
		add_text(pkg->constrains, CDA_LEN(pkg->constrains), rest, line);
	} else if (cda_streq(words.v[0], "entry")) {
		add_text(pkg->entry_points, CDA_LEN(pkg->entry_points), rest, line);
	} else if (cda_streq(words.v[0], "subdir")) {
		pkg->subdir = cda_strdup(rest);
	} else if (cda_streq(words.v[0], "license")) {
		pkg->license = cda_strdup(rest);
	} else if (cda_streq(words.v[0], "track_features")) {
		pkg->track_features = cda_strdup(rest);
	} else if (cda_streq(words.v[0], "timestamp")) {
		pkg->timestamp = strtoll(rest, NULL, 10);
	} else if (cda_streq(words.v[0], "extra")) {
		pkg->extra = cda_asprintf("%s, %s", pkg->extra ? pkg->extra : "", rest);
	} else if (cda_streq(words.v[0], "file")) {
		file_words(add_file(t, words.v[1], line), &words, line);
	} else if (cda_streq(words.v[0], "link") && words.n == 3) {
		add_file(t, words.v[1], line)->link = cda_strdup(words.v[2]);
	} else if (cda_streq(words.v[0], "dir")) {
		add_file(t, words.v[1], line)->dir = true;
	} else if (cda_streq(words.v[0], "script")) {
		CDA_AUTOFREE char *path = cda_asprintf("bin/.%s-%s.sh", pkg->name, words.v[1]);

		add_file(t, path, line)->mode = 0755;
	} else {
		die(line, "unknown word");
	}
}

int main(int argc, char **argv)
{
	static struct table t; /* static: what it owns lives as long as the program */
	CDA_AUTOFCLOSE FILE *in = argc == 3 ? fopen(argv[2], "re") : NULL;
	FILE *from = argc == 3 ? in : stdin;
	char *text = NULL;
	size_t size = 0;

	if (argc < 2 || argc > 3 || !from) {
		fprintf(stderr, "usage: mkchannel DIR [TABLE]\n");
		return 2;
	}
	t.pkgs = cda_alloc0(MAX_PACKAGES + 1, sizeof(struct tpkg));
	for (unsigned line = 1; getline(&text, &size, from) > 0; line++) {
		text[strcspn(text, "\n")] = '\0';
		read_line(&t, text, line);
	}
	free(text);
	tpkg_channel(argv[1], t.pkgs, t.n);
	return 0;
}
