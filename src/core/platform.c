/* platform.c - the subdir names that conda knows. */
#include "core/platform.h"

#include "util/str.h"

#include <string.h>

const char *const cda_platform_subdirs[] = {"emscripten-wasm32",
					    "wasi-wasm32",
					    "freebsd-64",
					    "linux-32",
					    "linux-64",
					    "linux-aarch64",
					    "linux-armv6l",
					    "linux-armv7l",
					    "linux-ppc64",
					    "linux-ppc64le",
					    "linux-riscv64",
					    "linux-s390x",
					    "osx-64",
					    "osx-arm64",
					    "win-32",
					    "win-64",
					    "win-arm64",
					    "zos-z",
					    "noarch",
					    NULL};

const char *cda_platform_native(void)
{
#if defined(__x86_64__)
	return "linux-64";
#elif defined(__aarch64__)
	return "linux-aarch64";
#elif defined(__i386__)
	return "linux-32";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return "linux-ppc64le";
#elif defined(__s390x__)
	return "linux-s390x";
#elif defined(__riscv)
	return "linux-riscv64";
#else
	return "linux-armv7l";
#endif
}

bool cda_platform_is_subdir(const char *name, size_t len)
{
	for (size_t i = 0; cda_platform_subdirs[i]; i++) {
		const char *known = cda_platform_subdirs[i];

		if (strlen(known) == len && memcmp(known, name, len) == 0)
			return true;
	}
	return false;
}
