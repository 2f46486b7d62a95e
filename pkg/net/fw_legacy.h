/* fw_legacy.h - IPv4 rules for hosts whose iptables(8) uses the kernel's legacy tables, in this process.
 * libxtables knows one family per process: IPv6 rules go through ip6tables-restore there too. */
#ifndef CTRCOMPOSE_NET_FW_LEGACY_H
#define CTRCOMPOSE_NET_FW_LEGACY_H

#include <ctrcompose/net.h>

struct ipt_entry;

/* Whether this host's iptables is of that kind. */
bool fw_legacy(void);
/* The rule as the kernel takes it, with its matches and target; *out is the caller's. -EINVAL: an
 * extension of libxtables refused it, in its words. Not for several threads. */
int fw_entry_make(const char *args, struct ipt_entry **out, struct err *err);
/* modprobe(8) ip_tables, as iptables(8) does it. */
int fw_module_load(struct err *err);
/* Make the IPv4 rules true, one transaction per table; as fw_apply() and fw_remove(). */
int fw_legacy_apply(const struct fw_rules *r, struct err *err);
/* Whether they are all there: 1, 0 or a negative errno. */
int fw_legacy_holds(const struct fw_rules *r, struct err *err);

#endif
