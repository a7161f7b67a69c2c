/* What startup keeps, and what the kernel tells it: the record of the account, the note about a
 * life, the mounts. The first byte chooses, the rest is the text. */
#include "fuzz.h"
#include "runtime/accounts.h"
#include "runtime/life.h"
#include "runtime/policy.h"

#include <string.h>

static char data[1 << 16];

static void check_record(const struct cda_text *text)
{
	struct cda_record record = {.name = "anaconda", .home = "/home/anaconda"};

	if (cda_record_parse(text, &record) != 0)
		return;
	HOLDS(cda_name_valid(record.name));
	HOLDS(record.next[0] == '\0' || cda_name_valid(record.next));
	HOLDS(record.home[0] == '/' && strchr(record.home, '\n') == NULL);
}

static void check_life(void)
{
	struct cda_life life = {.started = 7, .space = 11};

	cda_life_parse(data, &life);
	HOLDS(life.started == 7 && life.space == 11);
	HOLDS(life.noted || (!life.open && life.uid == 0 && life.owner == 0));
	HOLDS(!life.noted || strncmp(data, "life 7 11\nuid ", 14) == 0);
	HOLDS(!life.open || strstr(data, "\npackages open\n") != NULL);
}

static void check_mounts(struct cda_span mounts)
{
	bool below = cda_mount_in(mounts, "/home/anaconda", true);

	/* What is at a place is also found by who asks for what is below it too. */
	HOLDS(below || !cda_mount_in(mounts, "/home/anaconda", false));
	HOLDS(!below || memmem(mounts.p, mounts.len, "/home/anaconda", 14) != NULL ||
	      memchr(mounts.p, '\0', mounts.len) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct cda_text text = {.data = data, .cap = sizeof(data)};

	if (len == 0 || len > sizeof(data))
		return 0;
	memcpy(data, p + 1, len - 1);
	data[len - 1] = '\0';
	text.len = len - 1;
	switch (p[0] % 3) {
	case 0:
		check_record(&text);
		break;
	case 1:
		check_life();
		break;
	default:
		check_mounts((struct cda_span){data, len - 1});
		break;
	}
	return 0;
}
