#include "condense/signals.h"
#include "util/cleanup.h"
#include "util/event.h"

#include <signal.h>

static void on_signal(int number)
{
	if (cda_interrupted)
		_exit(128 + number);
	cda_interrupted = number;
}

void cda_condense_catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};

	for (size_t i = 0; i < CDA_LEN(numbers); i++) {
		struct sigaction old;

		/* what a shell ignores for its background jobs stays ignored */
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
	}
	/* a full disk and a closed pipe are errors of write */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}
