/* checked.c - how the sanitizers behave in entry and startup: what they find is status 99, and they
 * leave signals, limits and other processes alone. Options of the environment do not count in a
 * setuid program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:exitcode=99:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:"
	       "handle_sigill=0:handle_abort=0:allocator_may_return_null=1:detect_stack_use_after_"
	       "return=1:use_sigaltstack=0:disable_coredump=0";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "print_stacktrace=0:exitcode=99";
}
