/* evil.c - a library of the attacker's: where it is loaded, it notes whose program that is. Without
 * a C library, so that it suits glibc and musl. Built by e_start.sh: cc -shared -nostdlib. */
static long call(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

enum { WRITE = 1, OPEN = 2, CLOSE = 3, GETEUID = 107, APPEND = 02000 | 0100 | 1 };

/* Called by a loader that takes this for a library that watches it. */
unsigned la_version(unsigned version);
unsigned la_version(unsigned version)
{
	return version;
}

__attribute__((constructor)) static void note(void)
{
	static const char path[] = "/tmp/ran.uid";
	char text[16];
	long uid = call(GETEUID, 0, 0, 0), at = sizeof(text), fd;

	text[--at] = '\n';
	do
		text[--at] = (char)('0' + uid % 10);
	while ((uid /= 10) > 0);
	fd = call(OPEN, (long)path, APPEND, 0666);
	if (fd < 0)
		return;
	call(WRITE, fd, (long)(text + at), (long)sizeof(text) - at);
	call(CLOSE, fd, 0, 0);
}
