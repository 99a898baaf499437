#!/usr/bin/env bash
# Ends the node: the end of its first process ends every process, mount and rule of it. Its logs stay in target/.
set -euo pipefail
. "$(dirname "$0")/env.sh"
[ -e "$run/pid" ] || exit 0
node=$(cat "$run/pid")
# A number that somebody else has by now is left alone.
is_ours() { grep -qz inner.sh "/proc/$node/cmdline" 2>/dev/null; }

! is_ours || kill -KILL "$node"
for _ in $(seq 100); do
  is_ours || break
  sleep 0.1
done
! is_ours || fail "process $node does not end"
# The cable goes with the namespace, somewhat later than its processes.
ip link del "$NODE" 2>/dev/null || true
empty() {
  local group
  for group in $(cgroups); do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || return 1
  done
}
for _ in $(seq 50); do
  ! empty || break
  sleep 0.1
done
empty || fail "cgroups of $NODE are left"
rm -rf "${run:?}"/{pid,etcd,containerd,kubelet,kubelet-pki,var,var-work,sysctl,pki} "$run"/*.conf
