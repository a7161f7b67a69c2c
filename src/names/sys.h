/* sys.h - system calls without a C library: what is loaded into other programs must not depend on
 * which library these have, nor change their errno. */
#ifndef CDA_NAMES_SYS_H
#define CDA_NAMES_SYS_H

#include <sys/syscall.h>

#ifndef __x86_64__
#include <errno.h>
#include <unistd.h>
#endif

/* The result, or a negative errno. */
static inline long cda_sys(long number, long a, long b, long c, long d)
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
#else
	int before = errno;
	long result = syscall(number, a, b, c, d);

	if (result < 0)
		result = -errno;
	errno = before;
	return result;
#endif
}

#endif
