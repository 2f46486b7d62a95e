/* private.h - box's own: frames to the parent, the child's steps */
#ifndef BOX_PRIVATE_H
#define BOX_PRIVATE_H

#include <ctrcompose/box.h>

/* seccomp.c */
int seccomp_apply(const struct box_seccomp *p); /* one system call */
size_t seccomp_length(const struct box_seccomp *p);
/* The program's answer, for tests: SECCOMP_RET_* */
uint32_t seccomp_eval(const struct box_seccomp *p, uint32_t arch, uint32_t nr, uint64_t arg0);

#endif
