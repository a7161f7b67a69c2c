/* no_openat2 - run a program under a filter that refuses openat2, as an old kernel (ENOSYS), an old
 * container engine (EPERM), or to see that it is used at all (kill): no_openat2 WAY COMMAND...
 * WAY older: as a kernel that has no statx either; alone: what is refused are threads instead. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned answer = SECCOMP_RET_ERRNO | ENOSYS;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 437, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 437, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code), .filter = code};

	if (argc < 3)
		return 125;
	if (strcmp(argv[1], "EPERM") == 0)
		answer = SECCOMP_RET_ERRNO | EPERM;
	else if (strcmp(argv[1], "kill") == 0)
		answer = SECCOMP_RET_KILL_PROCESS;
	if (strcmp(argv[1], "older") == 0)
		code[2].k = SYS_statx;
	if (strcmp(argv[1], "alone") == 0) {
		code[1].k = code[2].k = SYS_clone;
		answer = SECCOMP_RET_ERRNO | EAGAIN;
	}
	code[3].k = answer;
	/* As root, and without no_new_privs: setuid must go on working. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
		perror("no_openat2");
		return 125;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
