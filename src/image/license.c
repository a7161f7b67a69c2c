/* Identifiers of the SPDX License List 3.x that packages of Debian, Alpine and conda-forge name,
 * and the short names of Debian's copyright format 1.0 that differ from them. */
#include "image/license.h"
#include "util/alloc.h"
#include "util/str.h"

#include <string.h>

static const char *const ids[] = {
	"0BSD",
	"AFL-2.1",
	"Apache-1.1",
	"Apache-2.0",
	"Artistic-1.0",
	"Artistic-1.0-Perl",
	"Artistic-2.0",
	"blessing",
	"BSD-1-Clause",
	"BSD-2-Clause",
	"BSD-2-Clause-Patent",
	"BSD-3-Clause",
	"BSD-3-Clause-Clear",
	"BSD-4-Clause",
	"BSD-4-Clause-UC",
	"BSD-Source-Code",
	"BSL-1.0",
	"bzip2-1.0.6",
	"CC-BY-3.0",
	"CC-BY-4.0",
	"CC-BY-SA-3.0",
	"CC-BY-SA-4.0",
	"CC0-1.0",
	"CDDL-1.0",
	"CNRI-Python",
	"curl",
	"EPL-1.0",
	"EPL-2.0",
	"FSFAP",
	"FSFUL",
	"FSFULLR",
	"FTL",
	"HPND",
	"HPND-sell-variant",
	"ICU",
	"IJG",
	"Info-ZIP",
	"ISC",
	"JSON",
	"libpng-2.0",
	"Libpng",
	"libtiff",
	"MIT",
	"MIT-0",
	"MIT-CMU",
	"MPL-1.0",
	"MPL-1.1",
	"MPL-2.0",
	"NCSA",
	"NTP",
	"OFL-1.1",
	"OLDAP-2.8",
	"OpenSSL",
	"PostgreSQL",
	"PSF-2.0",
	"Python-2.0",
	"Python-2.0.1",
	"Ruby",
	"Sleepycat",
	"SGI-B-2.0",
	"SMLNX",
	"SSH-OpenSSH",
	"TCL",
	"Unicode-3.0",
	"Unicode-DFS-2016",
	"Unlicense",
	"Vim",
	"W3C",
	"WTFPL",
	"X11",
	"Zlib",
	"zlib-acknowledgement",
	"ZPL-2.1",
};

static const char *const exceptions[] = {
	"Autoconf-exception-2.0",  "Autoconf-exception-3.0",    "Bison-exception-2.2",
	"Classpath-exception-2.0", "Font-exception-2.0",        "GCC-exception-2.0",
	"GCC-exception-3.1",       "Libtool-exception",         "Linux-syscall-note",
	"LLVM-exception",          "openvpn-openssl-exception",
};

static const char *const debian[][2] = {
	{"Expat", "MIT"},
	{"Artistic", "Artistic-1.0"},
	{"BSD-2-clause", "BSD-2-Clause"},
	{"BSD-3-clause", "BSD-3-Clause"},
	{"BSD-4-clause", "BSD-4-Clause"},
	{"CC0", "CC0-1.0"},
	{"Python", "Python-2.0"},
	{"PSF-2", "PSF-2.0"},
	{"Apache-2", "Apache-2.0"},
};

static const char *find(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cda_strcaseeq(word, list[i]))
			return list[i];
	return NULL;
}

/* GPL-2+ and its kind: NAME-VERSION, with a + or Debian's nothing, SPDX's -only or -or-later. */
static bool add_gnu(const char *word, struct cda_buf *out)
{
	static const char *const names[] = {"AGPL", "GFDL", "GPL", "LGPL"};
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3", "2.0", "2.1", "3.0"};
	const char *dash = strchr(word, '-'), *name;

	if (!dash)
		return false;
	CDA_AUTOFREE char *first = cda_strndup(word, (size_t)(dash - word));
	name = find(first, names, CDA_LEN(names));
	if (!name || !cda_is_digit(dash[1]))
		return false;
	for (size_t i = 0; i < CDA_LEN(versions); i++) {
		const char *v = versions[i], *rest = dash + 1;
		size_t n = cda_starts_with(rest, v) ? 3 : rest[0] == v[0] && v[2] == '0' ? 1 : 0;

		rest += n;
		if (!n || cda_is_digit(*rest) || *rest == '.')
			continue;
		if (!*rest || cda_strcaseeq(rest, "-only"))
			cda_buf_addf(out, "%s-%s-only", name, v);
		else if (cda_streq(rest, "+") || cda_strcaseeq(rest, "-or-later"))
			cda_buf_addf(out, "%s-%s-or-later", name, v);
		else
			return false;
		return true;
	}
	return false;
}

static bool add_word(const char *word, struct cda_buf *out)
{
	const char *id = find(word, ids, CDA_LEN(ids));

	for (size_t i = 0; !id && i < CDA_LEN(debian); i++)
		if (cda_strcaseeq(word, debian[i][0]))
			id = debian[i][1];
	if (!id)
		return add_gnu(word, out);
	cda_buf_adds(out, id);
	return true;
}

/* Cuts the next word or parenthesis. */
static char *next_word(const char **at)
{
	size_t n;

	while (cda_is_space(**at))
		(*at)++;
	n = **at == '(' || **at == ')' ? 1 : strcspn(*at, "() \t");
	*at += n;
	return n ? cda_strndup(*at - n, n) : NULL;
}

bool cda_license_spdx(const char *text, struct cda_buf *out)
{
	size_t before = out->len, open = 0;
	bool wanted = true, good = true, with = false; /* a licence comes next; an exception */

	for (const char *at = text; good;) {
		CDA_AUTOFREE char *word = next_word(&at);
		const char *found;

		if (!word)
			break;
		if (with) {
			found = find(word, exceptions, CDA_LEN(exceptions));
			good = found != NULL;
			cda_buf_adds(out, good ? found : "");
			with = wanted = false;
		} else if (wanted && cda_streq(word, "(")) {
			cda_buf_addc(out, '(');
			good = ++open < 20;
		} else if (wanted) {
			good = add_word(word, out);
			wanted = false;
		} else if (cda_streq(word, ")")) {
			good = open > 0;
			open -= good;
			cda_buf_addc(out, ')');
		} else if (cda_strcaseeq(word, "and") || cda_strcaseeq(word, "or")) {
			cda_buf_adds(out, cda_strcaseeq(word, "and") ? " AND " : " OR ");
			wanted = true;
		} else {
			good = with = cda_strcaseeq(word, "with");
			cda_buf_adds(out, " WITH ");
		}
	}
	if (good && !wanted && !with && !open)
		return true;
	cda_buf_cut(out, before);
	return false;
}
