#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void cda_say(const char *fmt, ...)
{
	static const char lead[] = "condense: ";
	char line[1024];
	size_t len = sizeof(lead) - 1;
	va_list ap;

	memcpy(line, lead, len);
	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	for (; line[len] != '\0'; len++) {
		unsigned char c = (unsigned char)line[len];

		if (c < 0x20 || c == 0x7f)
			line[len] = '?';
	}
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody listens; there is nowhere else to say it */
}

int cda_put(char *buf, size_t cap, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, cap, fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < cap)
		return 0;
	buf[0] = '\0';
	return -1;
}
