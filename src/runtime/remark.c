#include "remark.h"

#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char line[960];

void cda_remark_add(const char *fmt, ...)
{
	size_t len = strlen(line);
	const char *lead = len > 0 ? "; " : "";
	char part[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(part, sizeof(part), fmt, ap);
	va_end(ap);
	if (cda_put(line + len, sizeof(line) - len, "%s%s", lead, part) < 0)
		line[len] = '\0';
}

void cda_remark_said(char *text)
{
	static const char lead[] = "condense: ";

	while (*text != '\0') {
		size_t len = strcspn(text, "\r\n");
		char *next = text + len + (text[len] != '\0');

		text[len] = '\0';
		if (strncmp(text, lead, sizeof(lead) - 1) == 0)
			text += sizeof(lead) - 1;
		if (*text != '\0')
			cda_remark_add("%s", text);
		text = next;
	}
}

void cda_remark_tell(void)
{
	if (line[0] != '\0')
		cda_say("%s", line);
	line[0] = '\0';
}
