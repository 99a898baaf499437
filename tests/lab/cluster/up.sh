#!/usr/bin/env bash
# Starts a Kubernetes cluster of one node, in namespaces of its own, and ends when it is Ready; `down.sh` ends it.
#
# This machine is at $host_ip for the node's pods, under each name in $run/hosts; pods and Services are reached from here
# at their own addresses.
set -euo pipefail
. "$(dirname "$0")/env.sh"
began=$EPOCHREALTIME
since() { awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", to - from }'; }

"$cluster/down.sh"
ip link show "$NODE" >/dev/null 2>&1 && fail "another checkout's node runs on this machine: end that one, or set NODE, NET, POD_CIDR and SVC_CIDR"
rm -rf "$run"
mkdir -p "$run"/{log,conf,cni,hosts,etcd,containerd,kubelet,var,var-work,sysctl}
"$cluster/certificates.sh"
. "$cluster/configuration.sh"

for group in $(cgroups); do mkdir -p "$group"; done
# Version 1 leaves these empty, and then nothing can be put in.
if [ -d "/sys/fs/cgroup/cpuset/$NODE" ]; then
  for file in cpus mems; do
    cat "/sys/fs/cgroup/cpuset/cpuset.$file" >"/sys/fs/cgroup/cpuset/$NODE/cpuset.$file"
  done
fi

setsid unshare --mount --propagation private --net --uts --ipc --pid --fork --kill-child --mount-proc \
  bash "$cluster/inner.sh" >"$run/log/inner.log" 2>&1 </dev/null &
node=$!
echo "$node" >"$run/pid"
# For whatever ends this script before the node is Ready.
trap '[ $? = 0 ] || "$cluster/down.sh"' EXIT

# until_true WHAT COMMAND…: a minute at most, and not longer than the node lives.
until_true() {
  local what=$1
  shift
  local end=$((SECONDS + 60))
  while [ "$SECONDS" -lt "$end" ]; do
    kill -0 "$node" 2>/dev/null || fail "it has ended: see $run/log"
    if "$@" >/dev/null 2>&1; then
      echo "node: $what after $(since)"
      return
    fi
    sleep 0.1
  done
  fail "waited in vain for: $what; see $run/log"
}

# unshare enters the namespaces before it forks, so they are there with the first child.
has_child() { [ -n "$(tr -d ' ' <"/proc/$node/task/$node/children")" ]; }
until_true "its namespaces are there" has_child
ip link add "$NODE" type veth peer name eth0 netns "$node"
ip addr add "$host_ip/24" dev "$NODE"
ip link set "$NODE" up
# They go with the cable.
for network in "$POD_CIDR" "$SVC_CIDR"; do ip route add "$network" via "$node_ip"; done

export KUBECONFIG=$run/admin.conf
until_true "the API server is ready" kubectl get --raw /readyz
until_true "Ready" kubectl wait --for=condition=Ready "node/$NODE" --timeout=1s
# Pods need both; they come some seconds after the node.
until_true "the first ServiceAccount is there" kubectl get serviceaccount default
until_true "the authority is published" kubectl get configmap kube-root-ca.crt
echo "node: export KUBECONFIG=$KUBECONFIG"
