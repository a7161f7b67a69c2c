#include "image/layer.h"
#include "image/tarout.h"
#include "util/alloc.h"
#include "util/str.h"

#include <string.h>

struct writer {
	const struct cda_tree *tree;
	const struct cda_layer_options *options;
	struct cda_packer *packer;
	struct cda_tarout out;
	int64_t time; /* of what is newer than the epoch */
};

static int to_packer(void *ctx, const void *p, size_t len, struct cda_err *err)
{
	struct writer *writer = ctx;

	return cda_packer_add(writer->packer, p, len, err);
}

static int content_to_packer(void *ctx, const void *p, size_t len, struct cda_err *err)
{
	struct writer *writer = ctx;

	if (writer->options->progress)
		writer->options->progress(writer->options->progress_ctx, len);
	return cda_packer_add(writer->packer, p, len, err);
}

static bool travels(const char *xattr)
{
	return cda_streq(xattr, "security.capability") ||
	       (cda_starts_with(xattr, "user.") && !cda_starts_with(xattr, "user.overlay."));
}

/* PEP 552: the magic number, flags, and without flags the time and the size of the source. */
static int names_time(struct writer *writer, const struct cda_tree_entry *pyc, int64_t mtime,
		      bool *ret_yes, struct cda_err *err)
{
	CDA_AUTOBUF struct cda_buf head = CDA_BUF_INIT;
	uint32_t words[4] = {0};
	int rc = cda_tree_head(writer->tree, pyc, sizeof(words), &head, err);

	if (rc || head.len < sizeof(words))
		return rc;
	for (size_t i = 0; i < sizeof(words); i++)
		words[i / 4] |= (uint32_t)(unsigned char)head.p[i] << 8 * (i % 4);
	*ret_yes |= words[1] == 0 && words[2] == (uint32_t)mtime;
	return 0;
}

/* Python takes byte code for stale when its source has another time than it had: that time is part
 * of what the files hold, and stays. */
static int has_byte_code(struct writer *writer, const struct cda_tree_entry *entry, bool *ret_yes,
			 struct cda_err *err)
{
	size_t folder = (size_t)(entry->name - entry->path), stem = strlen(entry->name);
	CDA_AUTOFREE char *cache = cda_asprintf("%.*s__pycache__", (int)folder, entry->path);
	const struct cda_tree_entry *pyc;
	int rc = 0;

	if (entry->inode->type != CDA_TREE_FILE || !cda_ends_with(entry->name, ".py"))
		return 0;
	pyc = cda_tree_find(writer->tree, cache);
	for (pyc = pyc ? pyc->child : NULL; !rc && pyc; pyc = pyc->next)
		if (strncmp(pyc->name, entry->name, stem - 2) == 0 &&
		    cda_ends_with(pyc->name, ".pyc") && pyc->inode->type == CDA_TREE_FILE)
			rc = names_time(writer, pyc, entry->inode->mtime, ret_yes, err);
	return rc;
}

static int write_entry(struct writer *writer, const struct cda_tree_entry *entry,
		       struct cda_err *err)
{
	const struct cda_tree_inode *inode = entry->inode;
	const struct cda_layer_options *options = writer->options;
	CDA_AUTOFREE struct cda_tree_xattr *xattrs = NULL;
	struct cda_tarout_member member = {
		.path = entry->path,
		.hardlink = entry->first ? entry->first->path : NULL,
		.type = inode->type,
		.mode = inode->mode,
		.uid = options->fixed_owner ? options->uid : inode->uid,
		.gid = options->fixed_owner ? options->gid : inode->gid,
		.mtime = inode->mtime,
		.size = inode->size,
		.target = inode->target,
		.major = inode->major,
		.minor = inode->minor,
	};
	bool stays = false;
	int rc = 0;

	if (member.mtime > options->epoch)
		rc = has_byte_code(writer, entry->first ? entry->first : entry, &stays, err);
	if (rc)
		return rc;
	if ((member.mtime > options->epoch && !stays) ||
	    (options->own_time && inode->type == CDA_TREE_FOLDER))
		member.mtime = writer->time;
	if (member.mtime < 0)
		member.mtime = 0;
	if (inode->nxattrs) {
		xattrs = cda_alloc0(inode->nxattrs, sizeof(*xattrs));
		for (size_t i = 0; i < inode->nxattrs; i++)
			if (travels(inode->xattrs[i].name))
				xattrs[member.nxattrs++] = inode->xattrs[i];
		member.xattrs = xattrs;
	}
	rc = cda_tarout_header(&writer->out, &member, err);
	if (rc || member.hardlink || inode->type != CDA_TREE_FILE)
		return rc;
	rc = cda_tree_content(writer->tree, entry, content_to_packer, writer, err);
	return rc < 0 ? rc : cda_tarout_pad(&writer->out, inode->size, err);
}

/* What of the tree is in the layer: the picked, and the folders above them. */
static unsigned char *choose(const struct cda_tree *tree, const unsigned char *picked)
{
	unsigned char *chosen = cda_alloc0(tree->n + 1, 1);

	/* Parents come before what is in them: from the end, each folder is known by then. */
	for (size_t i = tree->n; i-- > 0;) {
		if (!picked || picked[i])
			chosen[i] = 1;
		if (chosen[i] && tree->v[i]->parent)
			chosen[tree->v[i]->parent->index] = 1;
	}
	return chosen;
}

/* The time of what is newer than the epoch. */
static int64_t layer_time(const struct cda_tree *tree, const unsigned char *picked,
			  const struct cda_layer_options *options)
{
	int64_t newest = -1;

	for (size_t i = 0; options->own_time && i < tree->n; i++) {
		const struct cda_tree_inode *inode = tree->v[i]->inode;

		if ((!picked || picked[i]) && inode->type != CDA_TREE_FOLDER &&
		    inode->mtime <= options->epoch && inode->mtime > newest)
			newest = inode->mtime;
	}
	return newest < 0 ? options->epoch : newest;
}

int cda_layer_write(const struct cda_tree *tree, const unsigned char *picked,
		    const struct cda_layer_options *options, int fd, struct cda_packed *ret_packed,
		    struct cda_err *err)
{
	CDA_CLEANUP(cda_packer_freep)
	struct cda_packer *packer =
		cda_packer_new(options->kind, options->level, options->threads, fd);
	CDA_AUTOFREE unsigned char *chosen = choose(tree, picked);
	struct writer writer = {
		tree, options, packer, {to_packer, &writer}, layer_time(tree, picked, options)};
	int rc = 0;

	for (size_t i = 0; !rc && i < tree->n; i++)
		if (chosen[i])
			rc = write_entry(&writer, tree->v[i], err);
	if (!rc)
		rc = cda_tarout_end(&writer.out, err);
	return rc ? rc : cda_packer_end(packer, ret_packed, err);
}
