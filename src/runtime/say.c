#include "say.h"

#include "redact.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What was cut off may have been the '@' behind a password: the last word goes too. */
static size_t without_last_word(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] != ' ')
		len--;
	return len;
}

static char *taker;
static size_t taker_cap;

void cda_say_to(char *buf, size_t cap)
{
	taker = buf;
	taker_cap = cap;
	if (buf != NULL)
		buf[0] = '\0';
}

void cda_say(const char *fmt, ...)
{
	static const char lead[] = "condense: ";
	char text[1024], line[1200];
	size_t len = sizeof(lead) - 1;
	va_list ap;
	int full;

	va_start(ap, fmt);
	full = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	memcpy(line, lead, len);
	if (full > 0)
		len += cda_redact(text,
				  (size_t)full < sizeof(text)
					  ? (size_t)full
					  : without_last_word(text, sizeof(text) - 1),
				  line + len, sizeof(line) - len - 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < 0x20 || c == 0x7f)
			line[i] = '?';
	}
	if (taker != NULL) {
		(void)cda_put(taker, taker_cap, "%.*s", (int)(len - sizeof(lead) + 1),
			      line + sizeof(lead) - 1);
		return;
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
