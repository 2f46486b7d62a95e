/* volume.h - named volumes.
 *
 *   <state>/volumes/<name>/_data         the content; ids on disk are plain (0 is the container's root)
 *   <state>/volumes/<name>/volume.json   labels, project, when it was made; without it there is none
 *
 * struct volume of model.h is what a file asks for; struct volume_record is what exists.
 */
#ifndef CTRCOMPOSE_VOLUME_H
#define CTRCOMPOSE_VOLUME_H

#include <ctrcompose/base.h>
#include <ctrcompose/model.h>

struct volume_store;
/* state_dirfd is borrowed for the call. Makes the folder. */
int volume_store_open(int state_dirfd, const char *state_path, struct volume_store **out,
		      struct err *err);
void volume_store_close(struct volume_store *s); /* NULL is fine */
void auto_volume_store_fn(struct volume_store **s);
#define auto_volume_store __attribute__((cleanup(auto_volume_store_fn)))

struct volume_record {
	char *name;
	char *project; /* that made it, or NULL */
	char *created; /* RFC 3339 */
	char *path;    /* of _data */
	bool anonymous;
	struct strs label_keys, label_values; /* the same number */
};
struct volume_records {
	struct volume_record *v;
	size_t n, cap;
};
void volume_record_clear(struct volume_record *r);
void volume_records_clear(struct volume_records *l);
#define auto_volume_record  __attribute__((cleanup(volume_record_clear)))
#define auto_volume_records __attribute__((cleanup(volume_records_clear)))

/* A letter or digit, then letters, digits, '_', '.' and '-'; at most 255. */
bool volume_name_ok(const char *name);

/* Idempotent: one that exists stays as it is and *created (may be NULL) is false. project and
 * labels may be NULL. */
int volume_create(struct volume_store *s, const char *name, const char *project, bool anonymous,
		  const struct kvs *labels, bool *created, struct err *err);
/* -ENOENT with a sentence. */
int volume_find(struct volume_store *s, const char *name, struct volume_record *out,
		struct err *err);
bool volume_exists(struct volume_store *s, const char *name);
/* Sorted by name; project NULL: all. */
int volume_list(struct volume_store *s, const char *project, struct volume_records *out,
		struct err *err);
/* users: names of the containers that have it (NULL or empty: none); with one it is -EBUSY.
 * Missing is -ENOENT. A mount inside is -EXDEV and nothing of the mounted is touched. */
int volume_remove(struct volume_store *s, const char *name, const struct strs *users,
		  struct err *err);
/* The same of one with at most so many entries; -EAGAIN: it has more, some of which are gone. It can go to
 * another folder of the file system then, under another name, where it is no volume any more. */
int volume_remove_small(struct volume_store *s, const char *name, const struct strs *users,
			size_t most, struct err *err);
int volume_move(struct volume_store *s, const char *name, int dirfd, const char *to);
/* O_PATH | O_DIRECTORY descriptor of _data, or a negative errno. */
int volume_open(struct volume_store *s, const char *name, struct err *err);

/* ---- Copy-up ---------------------------------------------------------------------------------
 * What is in the image at the mount point goes into a volume that is still empty: content, owners
 * (uid_shift subtracted from uid and gid: 0 where the source shows plain ids), modes, times, xattrs,
 * symlinks, hardlinks; owner, mode and times of the folder itself too, also when it is empty. Does
 * not cross mounts, leaves out devices and sockets. A volume that has content is left alone.
 * src_dirfd must be readable (not O_PATH). *copied (may be NULL) tells whether anything was done.
 * A mark beside _data says that a copy has begun: after a crash the next call empties the volume
 * and does it again. A volume once filled, or found filled, is never emptied. Waits for another who
 * fills it.
 */
int volume_copy_up(struct volume_store *s, const char *name, int src_dirfd, uint32_t uid_shift,
		   bool *copied, struct err *err);
bool volume_is_filled(struct volume_store *s, const char *name);
/* The same between two folders without the mark. dst must be empty: -ENOTEMPTY. */
int volume_copy_tree(int src_dirfd, int dst_dirfd, uint32_t uid_shift, struct err *err);

#endif
