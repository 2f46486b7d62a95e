#!/usr/bin/env bash
# setup.sh - in the virtual machine: the policy for containers, for the time it runs; then the command
# as an engine of that policy. SELINUX_MODE=1: enforcing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export PATH=$PATH:/usr/sbin:/sbin
[ -e /sys/fs/selinux/enforce ] || { echo "setup.sh: SELinux is off: boot with security=selinux selinux=1"; exit 1; }
context=/sys/fs/selinux/context
printf %s system_u:system_r:container_t:s0 2>/dev/null >$context || semodule -i "$here/container.cil"
printf %s system_u:system_r:container_t:s0 >$context
setenforce 0
engine=system_u:system_r:container_runtime_t:s0
runcon $engine true
# At level s0, as services are: this policy lets nobody with categories of his own write to a pipe of
# somebody who may have all of them. The mode changes within the domain: what comes before belongs to the machine.
exec runcon $engine bash -c 'setenforce "$1"; shift; "$@"; r=$?; setenforce 0; exit $r' - "${SELINUX_MODE:-0}" "$@"
