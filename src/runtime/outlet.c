#include "outlet.h"

#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int make_pipe(bool wanted, int fds[2])
{
	fds[0] = fds[1] = -1;
	if (!wanted)
		return 0;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	return fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

int cda_outlet_open(struct cda_outlet *outlet, const struct cda_run *run)
{
	*outlet = (struct cda_outlet){.run = run};
	if (make_pipe(run->tail != NULL, outlet->err) != 0 ||
	    make_pipe(run->output != NULL || run->progress, outlet->out) != 0)
		return -1;
	if (run->tail != NULL)
		run->tail[0] = '\0';
	return 0;
}

void cda_outlet_started(struct cda_outlet *outlet)
{
	close_fd(&outlet->err[1]);
	close_fd(&outlet->out[1]);
}

int cda_outlet_wait(const struct cda_outlet *outlet)
{
	if (!outlet->run->progress)
		return -1;
	cda_progress_tick();
	return cda_progress_wait();
}

static void keep_tail(struct cda_outlet *outlet, const char *data, size_t len)
{
	const struct cda_run *run = outlet->run;
	size_t room = run->tail_cap - 1;

	if (len > room) {
		data += len - room;
		len = room;
	}
	if (outlet->tail_len + len > room) {
		size_t drop = outlet->tail_len + len - room;

		memmove(run->tail, run->tail + drop, outlet->tail_len - drop);
		outlet->tail_len -= drop;
	}
	memcpy(run->tail + outlet->tail_len, data, len);
	outlet->tail_len += len;
	run->tail[outlet->tail_len] = '\0';
}

static void take_err(struct cda_outlet *outlet, const char *data, size_t len)
{
	keep_tail(outlet, data, len);
	if (outlet->run->progress)
		cda_progress_err(data, len, !outlet->run->hold);
	else if (!outlet->run->hold && write(STDERR_FILENO, data, len) < 0)
		return; /* nobody listens; the tail has it */
}

static void take_out(struct cda_outlet *outlet, const char *data, size_t len)
{
	const struct cda_run *run = outlet->run;

	if (run->output != NULL)
		run->output(run->ctx, data, len);
	else
		cda_progress_out(data, len, !run->no_output);
}

/* Returns false at the end of the pipe. */
static bool take(struct cda_outlet *outlet, int fd,
		 void (*give)(struct cda_outlet *outlet, const char *data, size_t len))
{
	char data[4096];

	for (;;) {
		ssize_t got = read(fd, data, sizeof(data));

		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		give(outlet, data, (size_t)got);
	}
}

void cda_outlet_take(struct cda_outlet *outlet, bool err, bool out)
{
	if (err && !take(outlet, outlet->err[0], take_err))
		close_fd(&outlet->err[0]);
	if (out && !take(outlet, outlet->out[0], take_out))
		close_fd(&outlet->out[0]);
}

void cda_outlet_close(struct cda_outlet *outlet)
{
	cda_outlet_take(outlet, outlet->err[0] >= 0, outlet->out[0] >= 0);
	close_fd(&outlet->err[0]);
	close_fd(&outlet->out[0]);
	if (outlet->run->progress) {
		cda_progress_flush();
		cda_progress_hide();
	}
}
