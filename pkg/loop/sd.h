/* sd.h - libsystemd's event loop, loaded when first needed: it brings libgcrypt, lzma, zstd and lz4. */
#ifndef CTRCOMPOSE_LOOP_SD_H
#define CTRCOMPOSE_LOOP_SD_H

#include <ctrcompose/base.h>

#include <systemd/sd-event.h>

/* One line per function used; typed by libsystemd's own header. */
#define SD_LIB_FUNCTIONS(X)              \
	X(sd_event_add_defer)            \
	X(sd_event_add_inotify)          \
	X(sd_event_add_io)               \
	X(sd_event_add_post)             \
	X(sd_event_add_signal)           \
	X(sd_event_add_time)             \
	X(sd_event_exit)                 \
	X(sd_event_get_fd)               \
	X(sd_event_loop)                 \
	X(sd_event_new)                  \
	X(sd_event_run)                  \
	X(sd_event_source_disable_unref) \
	X(sd_event_source_set_enabled)   \
	X(sd_event_source_set_io_events) \
	X(sd_event_source_set_priority)  \
	X(sd_event_source_set_time)      \
	X(sd_event_unref)

struct sd_lib {
	SD_LIB_FUNCTIONS(LIB_FIELD)
};

/* NULL with err set when it cannot be loaded. */
const struct sd_lib *sd_lib_get(struct err *err);

#endif
