/* net_priv.h - shared by the files of this folder. */
#ifndef CTRCOMPOSE_NET_PRIV_H
#define CTRCOMPOSE_NET_PRIV_H

#include <ctrcompose/net.h>

/* Write /proc/sys/<path> of the current network namespace unless it has the value: 0 or -errno. */
int net_sysctl(const char *path, const char *value);
/* net/<family>/conf/<ifname>/<key> */
int net_sysctl_if(const char *family, const char *ifname, const char *key, const char *value);

/* "CC-" and twelve digits: how the chains of a project begin. */
void fw_tag(const char *project, char out[20]);

#endif
