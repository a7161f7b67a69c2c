#include "image/sbom.h"
#include "image/config.h"
#include "image/license.h"
#include "util/alloc.h"
#include "util/hash.h"
#include "util/json.h"
#include "util/str.h"
#include "util/url.h"

#include <string.h>

#define RECORD_MAX ((size_t)64 << 20)
#define UNKNOWN "NOASSERTION"

struct sbom {
	const struct cda_tree *tree;
	yyjson_mut_doc *doc;
	yyjson_mut_val *packages, *relations;
};

static void add(struct sbom *sbom, yyjson_mut_val *obj, const char *key, const char *value)
{
	yyjson_mut_obj_add_strcpy(sbom->doc, obj, key, value);
}

/* SPDX 2.3, 7.2: letters, digits, '.' and '-'. The place in the list makes it the only one. */
static char *package_id(const struct cda_inv_package *package, size_t i)
{
	CDA_AUTOBUF struct cda_buf id = CDA_BUF_INIT;

	cda_buf_addf(&id, "SPDXRef-%s-", cda_inv_kind_name(package->kind));
	for (const char *c = package->name; *c; c++)
		cda_buf_addc(&id, cda_is_alnum(*c) || *c == '.' ? *c : '-');
	cda_buf_addf(&id, "-%zu", i + 1);
	return cda_buf_take(&id);
}

static void add_checksum(struct sbom *sbom, yyjson_mut_val *list, const char *algorithm,
			 enum cda_hash_kind kind, const char *hex)
{
	yyjson_mut_val *item = yyjson_mut_obj(sbom->doc);
	CDA_AUTOFREE char *lower = NULL;

	if (!hex || !cda_hash_is_hex(kind, hex))
		return;
	lower = cda_strdup(hex);
	cda_lower_inplace(lower);
	add(sbom, item, "algorithm", algorithm);
	add(sbom, item, "checksumValue", lower);
	yyjson_mut_arr_append(list, item);
}

/* What conda's record of the package says of its file: where it came from, and its checksums. */
static int add_record(struct sbom *sbom, const struct cda_inv_package *package,
		      yyjson_mut_val *item, struct cda_err *err)
{
	CDA_AUTOFREE char *path = cda_asprintf(
		"%s%sconda-meta/%s-%s-%s.json", package->place, *package->place ? "/" : "",
		package->name, package->version, package->build ? package->build : "");
	const struct cda_tree_entry *entry = cda_tree_find(sbom->tree, path);
	yyjson_mut_val *sums = yyjson_mut_arr(sbom->doc);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOJSON yyjson_doc *doc = NULL;
	CDA_AUTOFREE char *url = NULL;
	struct cda_err ignored = {0};
	const char *from;
	int rc;

	if (!entry || entry->inode->type != CDA_TREE_FILE || entry->inode->size > RECORD_MAX)
		return 0;
	rc = cda_tree_read(sbom->tree, entry, RECORD_MAX, &text, err);
	if (rc)
		return rc;
	if (cda_json_parse(text.p, text.len, path, &doc, &ignored)) {
		cda_err_done(&ignored); /* the inventory has a note of it */
		return 0;
	}
	add_checksum(sbom, sums, "SHA256", CDA_SHA256,
		     cda_json_str(yyjson_doc_get_root(doc), "sha256"));
	add_checksum(sbom, sums, "MD5", CDA_MD5, cda_json_str(yyjson_doc_get_root(doc), "md5"));
	if (yyjson_mut_arr_size(sums))
		yyjson_mut_obj_add_val(sbom->doc, item, "checksums", sums);
	from = cda_json_str(yyjson_doc_get_root(doc), "url");
	url = from && (cda_starts_with(from, "https://") || cda_starts_with(from, "http://"))
		      ? cda_url_safe(from)
		      : NULL;
	if (url) {
		yyjson_mut_obj_remove_key(item, "downloadLocation");
		add(sbom, item, "downloadLocation", url);
	}
	return 0;
}

static void relate(struct sbom *sbom, const char *from, const char *how, const char *to)
{
	yyjson_mut_val *item = yyjson_mut_obj(sbom->doc);

	add(sbom, item, "spdxElementId", from);
	add(sbom, item, "relationshipType", how);
	add(sbom, item, "relatedSpdxElement", to);
	yyjson_mut_arr_append(sbom->relations, item);
}

static yyjson_mut_val *new_package(struct sbom *sbom, const char *id, const char *name,
				   const char *version)
{
	yyjson_mut_val *item = yyjson_mut_obj(sbom->doc);

	add(sbom, item, "SPDXID", id);
	add(sbom, item, "name", name);
	if (version)
		add(sbom, item, "versionInfo", version);
	add(sbom, item, "downloadLocation", UNKNOWN);
	add(sbom, item, "copyrightText", UNKNOWN);
	add(sbom, item, "licenseConcluded", UNKNOWN);
	add(sbom, item, "supplier", UNKNOWN);
	yyjson_mut_obj_add_bool(sbom->doc, item, "filesAnalyzed", false);
	yyjson_mut_arr_append(sbom->packages, item);
	return item;
}

static int add_package(struct sbom *sbom, const struct cda_inv_package *package, size_t i,
		       struct cda_err *err)
{
	CDA_AUTOFREE char *id = package_id(package, i);
	yyjson_mut_val *item = new_package(sbom, id, package->name, package->version);
	yyjson_mut_val *refs = yyjson_mut_arr(sbom->doc), *ref = yyjson_mut_obj(sbom->doc);
	CDA_AUTOBUF struct cda_buf license = CDA_BUF_INIT;
	bool known = package->license && cda_license_spdx(package->license, &license);

	add(sbom, item, "licenseDeclared", known ? license.p : UNKNOWN);
	if (package->license && !known) {
		CDA_AUTOFREE char *text = cda_asprintf("declared as: %s", package->license);

		add(sbom, item, "licenseComments", text);
	}
	if (package->summary)
		add(sbom, item, "summary", package->summary);
	if (package->source && package->kind != CDA_INV_CONDA) {
		CDA_AUTOFREE char *text = cda_asprintf("built from %s", package->source);

		add(sbom, item, "sourceInfo", text);
	}
	add(sbom, ref, "referenceCategory", "PACKAGE-MANAGER");
	add(sbom, ref, "referenceType", "purl");
	add(sbom, ref, "referenceLocator", package->purl);
	yyjson_mut_arr_append(refs, ref);
	yyjson_mut_obj_add_val(sbom->doc, item, "externalRefs", refs);
	relate(sbom, "SPDXRef-Image", "CONTAINS", id);
	return package->kind == CDA_INV_CONDA ? add_record(sbom, package, item, err) : 0;
}

/* Of the image's name, what a URL may have. */
static char *namespace_of(const char *name, const char *hex)
{
	CDA_AUTOFREE char *coded = cda_url_encode(name, "");

	return cda_asprintf("https://spdx.org/spdxdocs/%s-%s", coded, hex);
}

int cda_sbom_write(const struct cda_tree *tree, const struct cda_inventory *inventory,
		   const char *name, int64_t epoch, struct cda_buf *out, struct cda_err *err)
{
	CDA_AUTOJSONMUT yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
	struct sbom sbom = {tree, doc, yyjson_mut_arr(doc), yyjson_mut_arr(doc)};
	yyjson_mut_val *top = yyjson_mut_obj(doc), *made = yyjson_mut_obj(doc), *image;
	yyjson_mut_val *tools = yyjson_mut_arr(doc);
	CDA_AUTOBUF struct cda_buf text = CDA_BUF_INIT;
	CDA_AUTOFREE char *space = NULL;
	char hex[CDA_HASH_HEX_MAX], created[32];
	int rc = 0;

	cda_config_time(epoch, created);
	image = new_package(&sbom, "SPDXRef-Image", name, NULL);
	add(&sbom, image, "primaryPackagePurpose", "CONTAINER");
	add(&sbom, image, "licenseDeclared", UNKNOWN);
	relate(&sbom, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image");
	for (size_t i = 0; !rc && i < inventory->packages.n; i++)
		rc = add_package(&sbom, &inventory->packages.v[i], i, err);
	if (rc)
		return rc;
	/* The namespace names the content: another list has another, the same has the same. */
	cda_json_format(sbom.packages, 0, true, &text);
	cda_buf_addf(&text, "\n%s\n%s", name, created);
	cda_hash_mem(CDA_SHA256, text.p, text.len, hex);
	hex[32] = '\0';
	space = namespace_of(name, hex);
	yyjson_mut_arr_add_str(doc, tools, "Tool: condense-" CDA_VERSION);
	add(&sbom, made, "created", created);
	yyjson_mut_obj_add_val(doc, made, "creators", tools);
	add(&sbom, top, "spdxVersion", "SPDX-2.3");
	add(&sbom, top, "dataLicense", "CC0-1.0");
	add(&sbom, top, "SPDXID", "SPDXRef-DOCUMENT");
	add(&sbom, top, "name", name);
	add(&sbom, top, "documentNamespace", space);
	yyjson_mut_obj_add_val(doc, top, "creationInfo", made);
	yyjson_mut_obj_add_val(doc, top, "packages", sbom.packages);
	yyjson_mut_obj_add_val(doc, top, "relationships", sbom.relations);
	cda_json_format(top, 1, true, out);
	cda_buf_addc(out, '\n');
	return 0;
}
