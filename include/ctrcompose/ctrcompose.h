/* ctrcompose.h - what a program that embeds ctrcompose includes.
 *
 * Load a project, look at its typed structs, compute what bringing it up would do, and hand that
 * plan to the project's supervisor. examples/embed/ does all of it in one file. Link with
 * libctrcompose (pkg-config ctrcompose). The headers of single modules that are not listed here
 * may change without notice.
 *
 *   compose_load()                files -> struct project, or what is wrong with file:line:col
 *   state_load(), state_refresh() what is there, compared with the kernel
 *   plan_up(), plan_down(), ...   the ordered list of actions between the two; no effect
 *   daemon_connect(), _apply()    the supervisor carries the plan out and tells of every step
 *
 * Functions return 0 or -errno and fill a struct err with one sentence for a person. The library
 * keeps no global state; it is not for use from several threads at once.
 */
#ifndef CTRCOMPOSE_CTRCOMPOSE_H
#define CTRCOMPOSE_CTRCOMPOSE_H

#include <ctrcompose/base.h>
#include <ctrcompose/compose.h>
#include <ctrcompose/daemon.h>
#include <ctrcompose/model.h>
#include <ctrcompose/plan.h>
#include <ctrcompose/state.h>

#endif
