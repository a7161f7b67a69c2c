/* paths.h - where the image keeps what the two programs read and write. */
#ifndef CDA_RUNTIME_PATHS_H
#define CDA_RUNTIME_PATHS_H

#define CDA_IMAGE_ACCOUNT "anaconda" /* unless the policy names another */
#define CDA_POLICY "/etc/condense/policy"
#define CDA_SKEL "/etc/condense/skel"
#define CDA_STATE "/var/lib/condense" /* root's: record of the account, stamps of OS packages */
#define CDA_PREFIX "/opt/conda"
#define CDA_STAMPS "/opt/conda/.condense" /* the users': stamps of conda and pip lists */
#define CDA_STARTUP "/startup"
#define CDA_SECRETS "/run/secrets" /* where engines put files that are no part of an image */
#define CDA_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"
#define CDA_PRELOAD "/usr/lib/condense/names.so" /* where programs of musl are */
#define CDA_WORK "/main"
#define CDA_SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Exit statuses of /startup, next to 0 and 128+n. */
enum {
	CDA_EXIT_FAILED = 1,  /* OS packages could not be installed, or the home not be given */
	CDA_EXIT_REFUSED = 2, /* the request is not allowed or makes no sense */
	CDA_EXIT_CANNOT = 3,  /* the container does not let it */
};

#endif
