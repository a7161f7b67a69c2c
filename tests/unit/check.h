/* check.h - unit tests in one header: a program of TEST()s that speaks TAP, main included.
 *
 *	TEST(name_says_what_holds)
 *	{
 *		CHECK(cond);
 *		CHECK_INT(got, want);
 *		CHECK_STR_AT(got, want, "row '%s'", row);
 *	}
 *
 * A failed check prints file, line and both values, and the test goes on; a test with a failed
 * check is one "not ok". SKIP(reason) ends a test that cannot run here; with MUST_RUN=1 in the
 * environment that is a failure. An argument names the tests to run, by substring. Include it
 * once, in the file that has the tests.
 */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_test {
	const char *name;
	void (*run)(void);
	struct check_test *next;
};

static struct check_test *check_first;
static struct check_test **check_last = &check_first;
static unsigned check_failures;   /* of the test that runs */
static const char *check_skipped; /* its reason */

#define TEST(id)                                                                                   \
	static void id(void);                                                                      \
	__attribute__((constructor)) static void check_add_##id(void)                              \
	{                                                                                          \
		static struct check_test test = {#id, id, NULL};                                   \
		*check_last = &test;                                                               \
		check_last = &test.next;                                                           \
	}                                                                                          \
	static void id(void)

#define CHECK(cond) check_true((cond), __FILE__, __LINE__, #cond, NULL)
#define CHECK_AT(cond, ...) check_true((cond), __FILE__, __LINE__, #cond, __VA_ARGS__)
#define CHECK_INT(got, want)                                                                       \
	check_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, #got, NULL)
#define CHECK_INT_AT(got, want, ...)                                                               \
	check_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, #got, __VA_ARGS__)
#define CHECK_STR(got, want) check_str((got), (want), __FILE__, __LINE__, #got, NULL)
#define CHECK_STR_AT(got, want, ...) check_str((got), (want), __FILE__, __LINE__, #got, __VA_ARGS__)
#define CHECK_MEM(got, got_len, want, want_len)                                                    \
	check_mem((got), (got_len), (want), (want_len), __FILE__, __LINE__, #got)

/* A check without which the rest of the test makes no sense. */
#define REQUIRE(cond)                                                                              \
	do {                                                                                       \
		if (!CHECK(cond))                                                                  \
			return;                                                                    \
	} while (0)

#define SKIP(reason)                                                                               \
	do {                                                                                       \
		check_skipped = (reason);                                                          \
		return;                                                                            \
	} while (0)

/* Diagnostics are TAP comments: every line of a value gets its '#'. */
__attribute__((unused)) static void check_value(const char *label, const char *text)
{
	printf("#   %s ", label);
	if (!text) {
		printf("NULL\n");
		return;
	}
	putchar('\'');
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n')
			printf("#     ");
	}
	printf("'\n");
}

__attribute__((unused, format(printf, 4, 0))) static void check_fail(const char *file, int line,
								     const char *what,
								     const char *fmt, va_list args)
{
	check_failures++;
	printf("# %s:%d: %s", file, line, what);
	if (fmt) {
		printf(", at ");
		vprintf(fmt, args);
	}
	putchar('\n');
}

__attribute__((unused, format(printf, 5, 6))) static bool check_true(bool ok, const char *file,
								     int line, const char *what,
								     const char *fmt, ...)
{
	va_list args;

	if (ok)
		return true;
	va_start(args, fmt);
	check_fail(file, line, what, fmt, args);
	va_end(args);
	return false;
}

__attribute__((unused, format(printf, 6, 7))) static bool check_int(intmax_t got, intmax_t want,
								    const char *file, int line,
								    const char *what,
								    const char *fmt, ...)
{
	va_list args;

	if (got == want)
		return true;
	va_start(args, fmt);
	check_fail(file, line, what, fmt, args);
	va_end(args);
	printf("#   got  %" PRIdMAX "\n#   want %" PRIdMAX "\n", got, want);
	return false;
}

__attribute__((unused, format(printf, 6, 7))) static bool check_str(const char *got,
								    const char *want,
								    const char *file, int line,
								    const char *what,
								    const char *fmt, ...)
{
	va_list args;

	if (got == want || (got && want && strcmp(got, want) == 0))
		return true;
	va_start(args, fmt);
	check_fail(file, line, what, fmt, args);
	va_end(args);
	check_value("got ", got);
	check_value("want", want);
	return false;
}

__attribute__((unused)) static void check_bytes(const char *label, const void *data, size_t len)
{
	printf("#   %s %zu bytes:", label, len);
	for (size_t i = 0; i < len && i < 64; i++)
		printf(" %02x", ((const unsigned char *)data)[i]);
	printf(len > 64 ? " ...\n" : "\n");
}

__attribute__((unused)) static bool check_mem(const void *got, size_t got_len, const void *want,
					      size_t want_len, const char *file, int line,
					      const char *what)
{
	if (got_len == want_len && (got_len == 0 || memcmp(got, want, want_len) == 0))
		return true;
	check_failures++;
	printf("# %s:%d: %s\n", file, line, what);
	check_bytes("got ", got, got_len);
	check_bytes("want", want, want_len);
	return false;
}

int main(int argc, char **argv)
{
	const char *must_run = getenv("MUST_RUN");
	unsigned count = 0, number = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct check_test *t = check_first; t; t = t->next)
		count += argc < 2 || strstr(t->name, argv[1]);
	printf("1..%u\n", count);
	for (struct check_test *t = check_first; t; t = t->next) {
		if (argc > 1 && !strstr(t->name, argv[1]))
			continue;
		check_failures = 0;
		check_skipped = NULL;
		t->run();
		number++;
		if (check_skipped && !check_failures && must_run && strcmp(must_run, "1") == 0) {
			printf("# skipped though MUST_RUN=1: %s\n", check_skipped);
			check_failures++;
		}
		failed += check_failures > 0;
		printf("%sok %u - %s", check_failures ? "not " : "", number, t->name);
		if (check_skipped && !check_failures)
			printf(" # SKIP %s", check_skipped);
		putchar('\n');
	}
	return count == 0 || failed ? 1 : 0;
}

#endif
