/* loop.h - the event loop of the supervisor: descriptors, timers, signals and children call back
 * one at a time in one thread.
 *
 * Floor 1. A thin wrapper of sd-event, which no other module sees.
 *
 * Ownership: a source belongs to the loop. An add function stores its handle in *out so that it
 * can be changed or freed early; with out == NULL the loop keeps it to the end (a defer: until it
 * ran). loop_free() frees every source that is left; handles are invalid from then on. A source
 * may be freed in any callback, also its own. Descriptors stay the caller's: free the source
 * before closing its descriptor.
 *
 * Times are microseconds. Functions return 0 or a negative errno.
 */
#ifndef CTRCOMPOSE_LOOP_H
#define CTRCOMPOSE_LOOP_H

#include <ctrcompose/base.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

struct loop;
struct loop_source;

#define LOOP_NEVER UINT64_MAX /* a delay that disarms a timer */

/* Who goes first when several are ready; children before idle work, say. */
enum loop_priority { LOOP_FIRST = -100, LOOP_EARLY = -10, LOOP_NORMAL = 0, LOOP_LATE = 10 };

typedef void loop_fn(void *arg);
typedef void loop_io_fn(void *arg, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR */
/* mask: what happened; name: of the file in a folder that is watched, else "". */
typedef void loop_watch_fn(void *arg, uint32_t mask, const char *name);
typedef void loop_signal_fn(void *arg, const struct signalfd_siginfo *info);
/* info->si_pid is 0 when the process ended but its status is not ours to read (not our child, and
 * a kernel without PIDFD_GET_INFO exit codes); else si_code is CLD_EXITED, CLD_KILLED or
 * CLD_DUMPED and si_status as waitid(2) has it. */
typedef void loop_child_fn(void *arg, const siginfo_t *info);

int loop_new(struct loop **out, struct err *err);
void loop_free(struct loop *loop); /* NULL is fine */
void loop_free_fn(struct loop **loop);
#define auto_loop __attribute__((cleanup(loop_free_fn)))

/* Dispatch until loop_exit(); gives the code of loop_exit(), or a negative errno. */
int loop_run(struct loop *loop, struct err *err);
/* Wait at most timeout_us for one event and dispatch it: 1 something ran, 0 nothing did, or a
 * negative errno. LOOP_NEVER waits for good. */
int loop_turn(struct loop *loop, uint64_t timeout_us);
/* For a caller that waits by itself: readable when loop_turn(loop, 0) has something to do. */
int loop_fd(const struct loop *loop);
/* End loop_run() after the current callback. The code should be 0 or more. */
void loop_exit(struct loop *loop, int code);

/* Watch fd (EPOLLIN, EPOLLOUT, EPOLLET, ...); level triggered, on until freed. */
int loop_io_add(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg,
		struct loop_source **out, struct err *err);
/* Change what is watched; 0 leaves only hang-ups and errors. */
int loop_io_mod(struct loop_source *src, uint32_t events);

/* Watch a file or folder for the changes in mask: inotify(7). All watches of one priority
 * share one descriptor, which the kernel takes 10 ms to close: the first watch that is made should be one
 * that keeps its priority. */
int loop_watch_add(struct loop *loop, const char *path, uint32_t mask, loop_watch_fn *fn, void *arg,
		   struct loop_source **out, struct err *err);

/* Call fn once, delay_us from now on the clock of now_mono_us() (counts while suspended).
 * LOOP_NEVER makes it disarmed. The source stays after it fired: set it again to use it again. */
int loop_timer_add(struct loop *loop, uint64_t delay_us, loop_fn *fn, void *arg,
		   struct loop_source **out, struct err *err);
int loop_timer_set(struct loop_source *src, uint64_t delay_us); /* LOOP_NEVER: disarm */

/* Blocks the signal in this process and calls back for each one that arrives. */
int loop_signal_add(struct loop *loop, int sig, loop_signal_fn *fn, void *arg,
		    struct loop_source **out, struct err *err);

/* Call fn once when the process of pidfd has ended, and reap it when it is our child. The pidfd
 * stays the caller's and must stay open until the source is freed. It need not be our child. */
int loop_child_add(struct loop *loop, int pidfd, loop_child_fn *fn, void *arg,
		   struct loop_source **out, struct err *err);

/* Call fn once in the next turn, before waiting. */
int loop_defer(struct loop *loop, loop_fn *fn, void *arg, struct loop_source **out,
	       struct err *err);
/* Call fn after every turn in which something was dispatched: "write what changed". */
int loop_post(struct loop *loop, loop_fn *fn, void *arg, struct loop_source **out, struct err *err);

int loop_source_priority(struct loop_source *src, enum loop_priority priority);
/* Switch a source off and on again; a defer or child that ran is switched on once more. */
int loop_source_enable(struct loop_source *src, bool on);
void loop_source_free(struct loop_source *src); /* NULL is fine */

#endif
