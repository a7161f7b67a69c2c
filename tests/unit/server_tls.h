/* server_tls.h - the part of server.h that makes a CA, which is the server's certificate too. */
#ifndef TESTS_SERVER_TLS_H
#define TESTS_SERVER_TLS_H

static inline void server_extend(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!extension || X509_add_ext(cert, extension, -1) != 1)
		abort();
	X509_EXTENSION_free(extension);
}

/* For localhost and 127.0.0.1, from yesterday for ten years: no clock in the tests matters. */
static inline X509 *server_make_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	if (!cert)
		abort();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -24L * 3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3650L * 24 * 3600);
	X509_set_pubkey(cert, key);
	name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1,
				   -1, 0);
	X509_set_issuer_name(cert, name);
	server_extend(cert, NID_basic_constraints, "critical,CA:TRUE");
	server_extend(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	if (X509_sign(cert, key, EVP_sha256()) == 0)
		abort();
	return cert;
}

static inline void server_make_tls(struct server *server)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = server_make_cert(key);
	const char *tmp = getenv("TMPDIR");
	FILE *file;
	int fd;

	snprintf(server->ca, sizeof(server->ca), "%s/server-ca.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	fd = mkstemp(server->ca);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file || PEM_write_X509(file, cert) != 1 || fclose(file) != 0)
		abort();
	server->tls = SSL_CTX_new(TLS_server_method());
	if (!server->tls || SSL_CTX_use_certificate(server->tls, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(server->tls, key) != 1)
		abort();
	X509_free(cert);
	EVP_PKEY_free(key);
}

#endif
