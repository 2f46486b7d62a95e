/* base.h - ownership, errors, strings, parsing, descriptors, paths, processes and time: what every
 * other module stands on.
 *
 * Floor 0. Includes nothing of ours; libc only.
 */
#ifndef CTRCOMPOSE_BASE_H
#define CTRCOMPOSE_BASE_H

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))

/* ---- Ownership -------------------------------------------------------------------------------
 * A variable declared auto_* releases what it owns when its scope ends. To keep the value, steal
 * it: the variable is left empty and the new owner is on the left of the assignment.
 * The x* allocators never return NULL: they end the process when memory is out.
 */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xreallocarray(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull, nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull, nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((malloc, returns_nonnull)) PRINTF_LIKE(1, 2);

void auto_free_fn(void *p);
void auto_close_fn(const int *fd);
#define auto_free  __attribute__((cleanup(auto_free_fn)))
#define auto_close __attribute__((cleanup(auto_close_fn)))

#define steal(p)                            \
	({                                  \
		__typeof__(p) steal_ = (p); \
		(p) = NULL;                 \
		steal_;                     \
	})

static inline int steal_fd(int *fd)
{
	int kept = *fd;

	*fd = -1;
	return kept;
}

/* ---- Arena -----------------------------------------------------------------------------------
 * Memory that is released all at once. A zeroed struct arena is a valid empty one. Allocations
 * are zeroed and aligned for any type; they never move.
 */
struct arena {
	struct arena_block *head;
};
#define auto_arena __attribute__((cleanup(arena_free)))

void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_array(struct arena *a, size_t n, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((returns_nonnull))
PRINTF_LIKE(2, 3);
void arena_free(struct arena *a);

/* ---- Growing arrays --------------------------------------------------------------------------
 * Any struct with members `v` (pointer), `n` and `cap` (size_t) is a vector:
 *   struct { int *v; size_t n, cap; } ids = { 0 };
 *   *vec_push(&ids) = 7;
 *   free(ids.v);
 * vec_push() gives the address of a new, zeroed element; addresses move when the vector grows.
 */
#define vec_push(vec)                                                                   \
	({                                                                              \
		__typeof__(vec) vec_ = (vec);                                           \
		vec_->v = vec_reserve_(vec_->v, vec_->n, &vec_->cap, sizeof(*vec_->v)); \
		&vec_->v[vec_->n++];                                                    \
	})
void *vec_reserve_(void *v, size_t n, size_t *cap, size_t size);

/* A list of owned strings; `v` may be used as argv: it is always NULL terminated once non-empty. */
struct strs {
	char **v;
	size_t n, cap;
};
#define auto_strs __attribute__((cleanup(strs_clear)))
void strs_add(struct strs *l, const char *s);
void strs_addf(struct strs *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool strs_has(const struct strs *l, const char *s);
void strs_remove(struct strs *l, const char *s); /* the first that is equal; keeps the order */
void strs_sort(struct strs *l);                  /* by bytes */
void strs_clear(struct strs *l);

/* ---- Map -------------------------------------------------------------------------------------
 * String to pointer, in order of insertion; the map copies keys and owns no values. A zeroed
 * struct map is a valid empty one. Iterate over entries[0..n): a removed one has key NULL.
 */
struct map {
	struct map_entry {
		char *key;
		void *value;
	} * entries;
	size_t n, cap;
	uint32_t *slots;
	size_t n_slots, live;
};
#define auto_map __attribute__((cleanup(map_clear)))
void *map_get(const struct map *m, const char *key); /* NULL: not there */
bool map_has(const struct map *m, const char *key);
void map_put(struct map *m, const char *key, void *value);
void *map_remove(struct map *m, const char *key); /* the value that was there, or NULL */
void map_clear(struct map *m);

/* ---- Undo ------------------------------------------------------------------------------------
 * Steps that change the machine (bridge, veth, mount, cgroup) push their opposite. When the scope
 * ends without undo_commit(), the opposites run newest first.
 */
typedef void undo_fn(void *arg);
struct undo {
	struct undo_step {
		undo_fn *fn;
		void *arg;
	} steps[16];
	size_t n;
};
#define auto_undo __attribute__((cleanup(undo_run)))
void undo_push(struct undo *u, undo_fn *fn, void *arg);
void undo_commit(struct undo *u);
void undo_run(struct undo *u);

/* ---- Errors ----------------------------------------------------------------------------------
 * A function that can fail returns 0 or a negative errno and takes `struct err *err` last. The
 * number is for code to branch on; the text is one complete sentence for the person who ran the
 * command. On success err is untouched. err may be NULL when the caller only probes.
 * err_wrap() puts "what: " in front of what a callee said; called on an unset err it adds the
 * text of the errno. The %m of printf works in both.
 */
struct err {
	int code; /* negative errno, 0 when unset */
	char *msg;
};
#define ERR_INIT        \
	{               \
		0, NULL \
	}
#define auto_err __attribute__((cleanup(err_clear)))

int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_wrap(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "doing: strerror(errno)" from the current errno; returns -errno. */
int err_errno(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *err_text(const struct err *err); /* never NULL */
void err_clear(struct err *err);

/* ---- Strings ---------------------------------------------------------------------------------
 * sbuf grows by itself and is NUL terminated once anything was added. Read it with sbuf_str(),
 * which is "" for an empty one; take the memory over with sbuf_take().
 */
struct sbuf {
	char *s;
	size_t len, cap;
};
#define SBUF_INIT          \
	{                  \
		NULL, 0, 0 \
	}
#define auto_sbuf __attribute__((cleanup(sbuf_clear)))

void sbuf_add(struct sbuf *b, const char *s, size_t n);
void sbuf_adds(struct sbuf *b, const char *s);
void sbuf_addc(struct sbuf *b, char c);
void sbuf_addf(struct sbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void sbuf_addv(struct sbuf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* How many bytes the control character takes that s begins with, be it C0, DEL or C1 in UTF-8; 0: none. */
size_t control_len(const char *s);
/* Text that somebody else chose, for a terminal: '?' for each control character but those of `keep`
 * ("\n\t", or ""). */
void sbuf_add_clean(struct sbuf *b, const char *text, const char *keep);
static inline const char *sbuf_str(const struct sbuf *b)
{
	return b->s ? b->s : "";
}

char *sbuf_take(struct sbuf *b) __attribute__((returns_nonnull));
void sbuf_clear(struct sbuf *b);

bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
/* As strcmp(3) == 0, without the call where the first characters differ: to search tables with. */
static inline bool str_is(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* The candidate nearest to `word` by edit distance, or NULL if none is near enough to suggest. */
const char *str_nearest(const char *word, const char *const *candidates, size_t n);
uint64_t str_hash(const char *s); /* FNV-1a, 64 bits */

/* ---- Parsing numbers -------------------------------------------------------------------------
 * The whole string has to be the number: no blanks, no sign where none makes sense, no tail.
 * *out is written on success only. -EINVAL: not a number; -ERANGE: does not fit.
 */
int parse_u64(const char *s, uint64_t *out);
/* RFC 4648, blanks are skipped; *out ends in NUL and is the caller's. -EINVAL: another character. */
int base64_decode(const char *in, char **out);
int parse_i64(const char *s, int64_t *out); /* optional leading '-' */
int parse_port(const char *s, uint16_t *out);
/* "512", "64k", "64kb", "1.5g", "64KiB": powers of 1024 in all spellings, as Compose has it. */
int parse_bytes(const char *s, uint64_t *out);
/* Go syntax plus d and w: "1m30s", "500ms", "1.5h", "1d". Negative ones are -ERANGE. */
int parse_duration_us(const char *s, uint64_t *out);
int parse_signal(const char *s, int *out); /* "SIGTERM", "term", "15", "SIGRTMIN+3" */
const char *signal_name(int sig);          /* "SIGTERM"; "signal" when there is none */

/* ---- Descriptors -----------------------------------------------------------------------------
 * All are close-on-exec. Sizes are bounded by `max` bytes: a longer file is -EFBIG.
 */
int fd_write_all(int fd, const void *data, size_t len);
ssize_t fd_read_full(int fd, void *data, size_t len); /* until len or end of file */
int fd_nonblock(int fd, bool on);
/* A path to what a descriptor stands for, itself, whatever its path leads to now: proc_pid_fd(5). */
#define FD_NAME_MAX 32
void fd_name(int fd, char out[FD_NAME_MAX]);
char *fd_path(int fd); /* where it is; NULL: unknown; the caller frees it */
/* Descriptors beside data through a unix socket: unix(7), SCM_RIGHTS; flags of send(2) and recv(2). */
enum { FDS_MAX = 4 };
int fd_send(int sock, const void *data, size_t len, const int *fds, size_t n, int flags);
/* The bytes; *n (how many fit, at most FDS_MAX) becomes how many came. -EMSGSIZE: more data or
 * descriptors than fit; these are closed. */
ssize_t fd_recv(int sock, void *data, size_t len, int *fds, size_t *n, int flags);
/* Whole file as a NUL-terminated string (which may hold NULs); *len_out may be NULL. */
int file_read(int dirfd, const char *path, size_t max, char **out, size_t *len_out);
/* The same where somebody else chose what is there: waits for nobody. -EISDIR; -EINVAL: another
 * thing that is neither file nor device. */
int file_read_at_once(int dirfd, const char *path, size_t max, char **out, size_t *len_out);
/* The same of what a descriptor stands for, be it one of O_PATH. */
int file_read_fd(int fd, size_t max, char **out, size_t *len_out);
/* One write(2) to an existing file: /proc, /sys and cgroup files. */
int file_put(int dirfd, const char *path, const char *text);
/* Temporary file, rename: readers see the old or the new content, never a part. With durable,
 * also fsync of file and folder, so the new content survives a power cut. */
int file_replace(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		 bool durable);

/* ---- Paths -----------------------------------------------------------------------------------
 * The *_in functions treat everything below rootfd as hostile: openat2(2) with
 * RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, so neither "..", absolute links nor /proc links leave.
 */
int path_open_in(int rootfd, const char *path, int flags, mode_t mode);
/* Make each missing folder of path (0755 or mode), return an O_PATH fd of the last. */
int path_mkdirs_in(int rootfd, const char *path, mode_t mode);
/* mkdir -p of a trusted path. */
int path_mkdirs(const char *path, mode_t mode);
/* Remove name and all below it, however deep. Never crosses a mount: -EXDEV then, with the rest kept. Missing
 * is success. */
int path_remove_tree(int dirfd, const char *name);
/* The same of at most so many entries; -EAGAIN: there are more, some of which are gone. */
int path_remove_small(int dirfd, const char *name, size_t most);
/* Bytes on disk of name and all below it, as du counts them; what can't be read counts nothing. */
uint64_t path_space(int dirfd, const char *name);
/* Lexically clean: no "//", "/./", "x/..", no trailing slash. Caller frees. */
char *path_clean(const char *path);
char *path_join(const char *a, const char *b);

/* ---- Processes ------------------------------------------------------------------------------- */
int pidfd_open_pid(pid_t pid); /* fd or negative errno */
int pidfd_kill(int pidfd, int sig);
/* How a process that is nobody's of ours ended, as wait(2) has it, once its parent has reaped it
 * (PIDFD_GET_INFO, Linux 6.15); an error where that can't be known. */
int pidfd_wait_status(int pidfd, int *status);
/* Field 22 of /proc/PID/stat: clock ticks after boot. With the pid it names a process for good. */
int proc_start_time(pid_t pid, uint64_t *out);
/* The same before its parent has reaped it, as wait(2) has it; -ENODATA: it is no zombie, or another
 * process. */
int proc_zombie_status(pid_t pid, uint64_t start_time, int *status);
/* It is on its way out of the kernel, or gone. */
bool proc_is_ending(pid_t pid, uint64_t start_time);
/* Kernel boot id, 36 characters and NUL. */
int boot_id(char out[37]);
/* A program of the host, running. argv[0] is looked up in PATH, then in /usr/sbin and /sbin, which
 * root's PATH after a plain su lacks. input: all that it reads, NULL with length 0. */
struct proc {
	pid_t pid;
	int output; /* both streams */
};
int proc_begin(char *const argv[], const char *input, size_t input_len, struct proc *out);
/* Wait for its end; what it printed goes to *output (bounded, may be NULL). Returns the exit status
 * 0..255 (127: there is no such program), 128 + signal, or a negative errno. */
int proc_end(struct proc *p, char **output);
/* Both. */
int proc_run(char *const argv[], const char *input, size_t input_len, char **output);

/* What ps(1) shows of this process. proc_title_begin() comes first in main(): it returns the arguments
 * to work with, and moves environ, both for the life of the process. Before it, and in a program that
 * only embeds us, proc_title() does nothing. A long title is cut. */
char **proc_title_begin(char **argv);
void proc_title(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* ---- Libraries -------------------------------------------------------------------------------
 * Those that few commands need are opened when they are first used: they and what they bring would
 * cost each start of the program milliseconds. A list X(function) per library makes its
 * table of functions, typed by the library's own header (LIB_FIELD), and says how to fill a table
 * that is called `lib` (LIB_SYMBOL).
 */
struct lib_symbol {
	const char *name;
	void *slot; /* of a function pointer */
};
#define LIB_FIELD(function)  __typeof__(function) *function;
#define LIB_SYMBOL(function) { #function, &lib.function },
struct lib {
	const char *soname; /* "libcurl.so.4" */
	const char *needed; /* begins the error: "registries need libcurl (package libcurl4)" */
	const struct lib_symbol *symbols;
	size_t n_symbols;
	bool (*start)(void);  /* NULL, or what follows; false: it does not work here */
	pthread_mutex_t lock; /* zero is PTHREAD_MUTEX_INITIALIZER; below: of lib_get() */
	bool tried;
	struct err problem;
};
/* dlopen(3), once and for good: some register handlers that run at exit. From any thread. -ENOTSUP
 * when it cannot be opened: the error says what it is needed for and why not (dlerror(3)). */
int lib_get(struct lib *l, struct err *err);

/* ---- Time ------------------------------------------------------------------------------------ */
uint64_t now_mono_us(void); /* CLOCK_BOOTTIME: counts while suspended, never jumps */
uint64_t now_real_ns(void);
#define RFC3339_LEN 36
void format_rfc3339(uint64_t real_ns, char out[RFC3339_LEN]); /* 2026-01-02T03:04:05.000000006Z */
/* "5 seconds", "About a minute", "3 hours", as `docker ps` words it. */
char *format_age(uint64_t seconds);
/* "64M", "1.5G": powers of 1024, at most one decimal. */
void format_bytes(uint64_t bytes, char out[16]);

/* ---- Identifiers and log --------------------------------------------------------------------- */
void id_random_hex(char *out, size_t digits); /* writes digits + NUL */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
extern enum log_level log_min;
/* One line "time level text" to the log descriptor (standard error until log_to_fd()). */
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_to_fd(int fd);

#endif
