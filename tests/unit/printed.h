/* printed.h - what a piece of code prints on stdout, as text. */
#ifndef TESTS_PRINTED_H
#define TESTS_PRINTED_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct printed {
	FILE *file;
	int before;
};

static inline void printed_begin(struct printed *printed)
{
	fflush(stdout);
	printed->file = tmpfile();
	printed->before = dup(STDOUT_FILENO);
	if (!printed->file || printed->before < 0 || dup2(fileno(printed->file), STDOUT_FILENO) < 0)
		abort();
}

static inline char *printed_end(struct printed *printed) /* owned */
{
	long len;
	char *text;

	fflush(stdout);
	if (dup2(printed->before, STDOUT_FILENO) < 0)
		abort();
	close(printed->before);
	fseek(printed->file, 0, SEEK_END);
	len = ftell(printed->file);
	rewind(printed->file);
	text = (char *)calloc(1, (size_t)len + 1);
	if (!text || fread(text, 1, (size_t)len, printed->file) != (size_t)len)
		abort();
	fclose(printed->file);
	return text;
}

#endif
