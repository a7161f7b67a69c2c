/* err.h - the error object: a code, errno where there was one, and the story so far. */
#ifndef CDA_UTIL_ERR_H
#define CDA_UTIL_ERR_H

#include "util/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* code, exit status, id as --json and tools know it (conda's exception names where conda has one)
 */
#define CDA_ERRORS(X)                                                                              \
	X(CDA_OK, 0, "Ok")                                                                         \
	X(CDA_E_SYS, 1, "CondaSystemError")                                                        \
	X(CDA_E_USAGE, 2, "ArgumentError")                                                         \
	X(CDA_E_VALUE, 1, "CondaValueError")                                                       \
	X(CDA_E_BUSY, 1, "LockError")                                                              \
	X(CDA_E_PARSE, 1, "CondaError")                                                            \
	X(CDA_E_VERSION, 1, "InvalidVersionSpec")                                                  \
	X(CDA_E_SPEC, 1, "InvalidMatchSpec")                                                       \
	X(CDA_E_CONFIG, 1, "ConfigurationLoadError")                                               \
	X(CDA_E_TYPE, 1, "InvalidTypeError")                                                       \
	X(CDA_E_CHOICE, 1, "CustomValidationError")                                                \
	X(CDA_E_KEY, 1, "CondaKeyError")                                                           \
	X(CDA_E_CHANNEL, 1, "UnavailableInvalidChannel")                                           \
	X(CDA_E_HTTP, 1, "CondaHTTPError")                                                         \
	X(CDA_E_TLS, 1, "CondaSSLError")                                                           \
	X(CDA_E_OFFLINE, 1, "OfflineError")                                                        \
	X(CDA_E_CHECKSUM, 1, "ChecksumMismatchError")                                              \
	X(CDA_E_ARCHIVE, 1, "InvalidArchiveError")                                                 \
	X(CDA_E_NOTFOUND, 1, "PackagesNotFoundError")                                              \
	X(CDA_E_UNSAT, 1, "UnsatisfiableError")                                                    \
	X(CDA_E_PINNED, 1, "SpecsConfigurationConflictError")                                      \
	X(CDA_E_DISALLOWED, 1, "DisallowedPackageError")                                           \
	X(CDA_E_NOENV, 1, "EnvironmentLocationNotFound")                                           \
	X(CDA_E_NOENVNAME, 1, "EnvironmentNameNotFound")                                           \
	X(CDA_E_NOTAPREFIX, 1, "DirectoryNotACondaEnvironmentError")                               \
	X(CDA_E_UNWRITABLE, 1, "EnvironmentNotWritableError")                                      \
	X(CDA_E_NOCACHE, 1, "NoWritablePkgsDirError")                                              \
	X(CDA_E_NOSPACE, 1, "NoSpaceLeftError")                                                    \
	X(CDA_E_MISSING, 1, "PackageNotInstalledError")                                            \
	X(CDA_E_CLOBBER, 1, "ClobberError")                                                        \
	X(CDA_E_LINK, 1, "LinkError")                                                              \
	X(CDA_E_PADDING, 1, "PaddingError")                                                        \
	X(CDA_E_SAFETY, 1, "SafetyError")                                                          \
	X(CDA_E_REMOVE, 1, "RemoveError")                                                          \
	X(CDA_E_ENVFILE, 1, "EnvironmentFileNotFound")                                             \
	X(CDA_E_ENVIRONMENT, 1, "CondaEnvironmentError")                                           \
	X(CDA_E_INDEX, 1, "CondaIndexError")                                                       \
	X(CDA_E_FILE, 1, "CondaFileIOError")                                                       \
	X(CDA_E_NOPATH, 1, "PathNotFoundError")                                                    \
	X(CDA_E_GENERAL, 1, "CondaError")                                                          \
	X(CDA_E_RESOLVE, 1, "ResolvePackageNotFound")                                              \
	X(CDA_E_EXITZERO, 0, "CondaExitZero")                                                      \
	X(CDA_E_NOTRUN, 127, "CommandNotRunError")                                                 \
	X(CDA_E_SPECFILE, 1, "SpecNotFound")                                                       \
	X(CDA_E_COMMAND, 1, "CommandNotFoundError")                                                \
	X(CDA_E_DRYRUN, 0, "DryRunExit")                                                           \
	X(CDA_E_CANCELLED, 0, "CondaSystemExit")                                                   \
	X(CDA_E_INTERRUPTED, 130, "KeyboardInterrupt")

#define CDA_ERRORS_ENUM(code, status, id) code,
enum cda_errc { CDA_ERRORS(CDA_ERRORS_ENUM) };
#undef CDA_ERRORS_ENUM

struct cda_err {
	enum cda_errc code;
	int sys;    /* errno, or 0 */
	char *msg;  /* owned: "outer: inner" */
	char *hint; /* owned: what the user can do next, a line or more; or NULL */
	bool multi; /* one of several that there may be: tools get a list of them */
	char *data; /* owned: members of a JSON object, what tools read with --json; or NULL */
};

/* A failing call returns -code and fills err; on success err stays untouched. err must be clean
 * (asserted). Each returns -code, so that `return cda_err_set(err, …)` reads well. */
int cda_err_set(struct cda_err *err, enum cda_errc code, const char *fmt, ...) CDA_PRINTF(3, 4);
int cda_err_vset(struct cda_err *err, enum cda_errc code, const char *fmt, va_list ap)
	CDA_PRINTF(3, 0);

/* CDA_E_SYS with ": strerror" appended; ENOSPC and EDQUOT become CDA_E_NOSPACE with a hint. */
int cda_err_sys(struct cda_err *err, int errnum, const char *fmt, ...) CDA_PRINTF(3, 4);

/* Puts "fmt: " in front of the message; returns rc unchanged. */
int cda_err_wrap(struct cda_err *err, int rc, const char *fmt, ...) CDA_PRINTF(3, 4);

/* Adds the next step for the user; a second hint is a further line. Returns -err->code. */
int cda_err_hint(struct cda_err *err, const char *fmt, ...) CDA_PRINTF(2, 3);

/* Adds a member to the data; a NULL text is null. With a clean err nothing happens. */
struct cda_strv;
void cda_err_data_text(struct cda_err *err, const char *key, const char *text);
void cda_err_data_int(struct cda_err *err, const char *key, int64_t number);
void cda_err_data_json(struct cda_err *err, const char *key, const char *json); /* as it is */
void cda_err_data_list(struct cda_err *err, const char *key, const struct cda_strv *list);

void cda_err_done(struct cda_err *err);                      /* frees and makes clean again */
void cda_err_move(struct cda_err *dst, struct cda_err *src); /* dst clean; src is clean after */
int cda_err_status(enum cda_errc code);                      /* exit status */
const char *cda_err_id(enum cda_errc code);

#endif
