#include "template.h"

bool cda_own_name_valid(const char *name)
{
	size_t len = 0;

	for (; name[len] != '\0'; len++) {
		char c = name[len];
		bool first = (c >= 'a' && c <= 'z') || c == '_';

		if (len + 1 == CDA_OWN_NAME_MAX ||
		    (!first && (len == 0 || !((c >= '0' && c <= '9') || c == '-'))))
			return false;
	}
	return len > 0;
}

bool cda_own_field_valid(const char *value, size_t cap)
{
	size_t len = 0;

	for (; value[len] != '\0'; len++) {
		unsigned char c = (unsigned char)value[len];

		if (len + 1 == cap || c < 0x20 || c == 0x7f || c == ':')
			return false;
	}
	return true;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\0' || text[i] != word[i])
			return false;
	}
	return word[len] == '\0';
}

/* Into a field that is still empty. */
static bool put(char *field, size_t cap, const char *value, size_t len)
{
	if (field[0] != '\0' || len == 0 || len >= cap)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '\0')
			return false;
		field[i] = value[i];
	}
	field[len] = '\0';
	return cda_own_field_valid(field, cap);
}

static bool take_line(const char *line, size_t len, struct cda_template *ret)
{
	size_t key = 0, at;

	while (len > 0 && line[len - 1] == ' ')
		len--;
	if (len == 0 || line[0] == '#')
		return true;
	while (key < len && line[key] != ' ')
		key++;
	for (at = key; at < len && line[at] == ' ';)
		at++;
	if (is_word(line, key, "account"))
		return put(ret->account, sizeof(ret->account), line + at, len - at) &&
		       cda_own_name_valid(ret->account) && !is_word(line + at, len - at, "root");
	if (is_word(line, key, "gecos"))
		return put(ret->gecos, sizeof(ret->gecos), line + at, len - at);
	if (is_word(line, key, "home"))
		return put(ret->home, sizeof(ret->home), line + at, len - at) &&
		       ret->home[0] == '/';
	if (is_word(line, key, "shell"))
		return put(ret->shell, sizeof(ret->shell), line + at, len - at) &&
		       ret->shell[0] == '/';
	return false;
}

int cda_template_parse(const char *text, size_t len, struct cda_template *ret)
{
	ret->account[0] = ret->gecos[0] = ret->home[0] = ret->shell[0] = '\0';
	while (len > 0) {
		size_t line = 0;

		while (line < len && text[line] != '\n')
			line++;
		if (!take_line(text, line, ret))
			return -1;
		text += line;
		len -= line;
		if (len > 0) {
			text++;
			len--;
		}
	}
	if (ret->account[0] == '\0')
		return -1;
	if (ret->home[0] == '\0')
		put(ret->home, sizeof(ret->home), "/", 1);
	if (ret->shell[0] == '\0')
		put(ret->shell, sizeof(ret->shell), "/bin/sh", 7);
	return 0;
}
