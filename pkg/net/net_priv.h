/* net_priv.h - shared by the files of this folder. */
#ifndef CTRCOMPOSE_NET_PRIV_H
#define CTRCOMPOSE_NET_PRIV_H

#include <ctrcompose/net.h>

/* Write /proc/sys/<path> of the current network namespace unless it has the value: 0 or -errno. */
int net_sysctl(const char *path, const char *value);
/* net/<family>/conf/<ifname>/<key> */
int net_sysctl_if(const char *family, const char *ifname, const char *key, const char *value);

void net_endpoint_mac(const struct net_endpoint *ep, uint8_t out[6]);

/* child.c: a network of the kind macvlan or ipvlan with a parent. */
int net_child_up(struct nl_conn *nl, struct net_network *net, struct err *err);
int net_child_down(struct nl_conn *nl, const struct net_network *net, struct err *err);
struct nl_batch;
void net_put_child(struct nl_batch *batch, const struct net_endpoint *ep, const uint8_t mac[6]);
/* Nothing answers ARP there: routes name the link alone. */
bool net_child_routed(const struct net_network *net);

/* What `iptables-save` prints; *out is the caller's, also after a failure. */
int fw_save(bool v6, char **out, struct err *err);
/* `iptables-restore` of a script, as one transaction. *again: what the script was made for is not
 * there any more. */
int fw_restore_begin(bool v6, const char *script, struct proc *out, struct err *err);
int fw_restore_end(bool v6, struct proc *p, bool *again, struct err *err);
int fw_sysctls(const struct fw_rules *r, struct err *err);

/* The tables that rules are for, in the order of a packet's way. */
#define FW_TABLES 4
extern const char *const fw_tables[FW_TABLES];
bool fw_in_table(const struct fw_rule *rule, bool v6, const char *table);
/* How many rules of a family; of one table and one of its chains, unless these are NULL. */
size_t fw_count(const struct fw_rules *r, bool v6, const char *table, const char *chain);

/* "CC-" and twelve digits: how the chains of a project begin. */
void fw_tag(const char *project, char out[20]);

#endif
