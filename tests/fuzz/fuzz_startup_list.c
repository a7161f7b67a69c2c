/* A list of OS packages: what is accepted can be nothing but the name of a package. */
#include "fuzz.h"
#include "runtime/reqlist.h"

#include <string.h>

static void check(const uint8_t *p, size_t len, enum cda_pm pm)
{
	static struct cda_reqlist list;
	static char data[CDA_LIST_BYTES];
	const struct cda_text text = {.data = data, .len = len, .cap = sizeof(data)};
	int line;

	if (len > sizeof(data))
		return;
	memcpy(data, p, len);
	line = cda_reqlist_parse(&text, pm, &list);
	HOLDS(line >= 0);
	HOLDS(list.count >= 0 && list.count < CDA_LIST_NAMES);
	for (int i = 0; line == 0 && i < list.count; i++) {
		const char *word = list.pkgs[i].text;
		char name[CDA_PKG_MAX];
		size_t size = strlen(word);

		HOLDS(size > 0 && word[0] != '-' && word[0] != '.' && word[size - 1] != '-');
		HOLDS(strpbrk(word, "/*^!@$`\"'\\;&|(){}[]? \t\r\n") == NULL);
		HOLDS(pm == CDA_APT || size < 4 || strcmp(word + size - 4, ".apk") != 0 ||
		      strpbrk(word, "=<>~") != NULL);
		cda_pkg_name(&list.pkgs[i], name);
		HOLDS(name[0] != '\0' && strncmp(name, word, strlen(name)) == 0);
		HOLDS(list.pkgs[i].line > 0);
	}
	if (cda_list_unfit((struct cda_span){text.data, text.len}) == NULL)
		HOLDS(memchr(text.data, '\0', text.len) == NULL);
	if (line == 0 && list.count > 0)
		HOLDS(cda_list_says_something((struct cda_span){text.data, text.len}));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	check(p, len, CDA_APT);
	check(p, len, CDA_APK);
	return 0;
}
