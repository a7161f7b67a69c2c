/* replay - runs a fuzz target over files, in place of libFuzzer: `replay FOLDER`, as TAP.
 *
 * Each seed is run whole, and cut and changed in ways that are the same each time, so that plain
 * `meson test` does a little of what the fuzzer does. A failure is a crash or an abort(). */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { seed_max = 1 << 20, changes = 200 };

static void run(const uint8_t *p, size_t len)
{
	/* A copy of just that size: reading past it is seen by the sanitizer. */
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, p, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void run_changed(uint8_t *p, size_t len)
{
	static const char bytes[] = "\0\x80\xff\"\\/[]{}@:%,<>=!*| \n0a";
	uint32_t state = (uint32_t)len;

	for (int i = 0; i < changes && len > 0; i++) {
		state = state * 1664525 + 1013904223;
		size_t at = (state >> 8) % len;
		uint8_t kept = p[at];

		p[at] = (uint8_t)bytes[(state >> 3) % (sizeof(bytes) - 1)];
		run(p, len);
		p[at] = kept;
		run(p, at);
	}
}

static void replay(const char *path)
{
	uint8_t *seed = malloc(seed_max);
	FILE *file = fopen(path, "rb");
	size_t len;

	if (!seed || !file) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
	len = fread(seed, 1, seed_max, file);
	fclose(file);
	run(seed, len);
	run_changed(seed, len);
	free(seed);
}

int main(int argc, char **argv)
{
	struct dirent **names = NULL;
	int n = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1, number = 0;

	if (n < 0) {
		fprintf(stderr, "usage: replay FOLDER\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		if (names[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
			replay(path);
			printf("ok %d - %s\n", ++number, names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	printf("1..%d\n", number);
	return number == 0;
}
