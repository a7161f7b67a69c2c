/* killat - run a program and end it, or fail a call of it, at one of its system calls:
 * killat kill N COMMAND... or killat enospc N COMMAND...
 *
 * Only what /startup does is counted, from 1. kill: SIGKILL as the call is entered. enospc: the
 * call that writes, makes or renames something, the Nth of these, fails as on a full disk. Exit
 * status 0 if that moment came, 3 if the program was over before, 125 if it could not be run. */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__x86_64__)
int main(void)
{
	return 77; /* registers of another machine */
}
#else

static int is_startup(pid_t pid)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return 0;
	path[len] = '\0';
	return len >= 8 && strcmp(path + len - 8, "/startup") == 0;
}

static int can_fill(long number)
{
	return number == SYS_write || number == SYS_fsync || number == SYS_mkdirat ||
	       number == SYS_mkdir || number == SYS_symlinkat || number == SYS_renameat ||
	       number == SYS_rename || number == SYS_renameat2 || number == SYS_ftruncate ||
	       number == SYS_fchown || number == SYS_fchownat || number == SYS_fchmod ||
	       number == SYS_openat2 || number == SYS_close;
}

int main(int argc, char **argv)
{
	int fill, status, counting = 0, entered = 0, seen = 0, wanted, done = 0;
	pid_t pid;

	if (argc < 4)
		return 125;
	fill = strcmp(argv[1], "enospc") == 0;
	wanted = atoi(argv[2]);
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(125);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) != 0)
		return 125;
	for (int pass = 0;;) {
		struct user_regs_struct regs;
		struct iovec io = {&regs, sizeof(regs)};

		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)pass) != 0)
			return 125;
		pass = 0;
		if (waitpid(pid, &status, 0) != pid)
			return 125;
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return done ? 0 : counting ? 3 : 125;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
			counting = is_startup(pid);
			continue;
		}
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			pass = WSTOPSIG(status);
			continue;
		}
		entered = !entered;
		if (!counting || done)
			continue;
		if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io) != 0)
			return 125;
		if (fill) {
			if (entered && can_fill((long)regs.orig_rax) && ++seen == wanted) {
				regs.orig_rax = (unsigned long)-1;
				if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &io) != 0)
					return 125;
			} else if (!entered && seen == wanted) {
				regs.rax = (unsigned long)-ENOSPC;
				if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &io) != 0)
					return 125;
				done = 1;
			}
		} else if (entered && ++seen == wanted) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 0;
		}
	}
}
#endif
