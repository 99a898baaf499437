# What the scripts of this folder share; sourced. A second node beside another needs a NODE, NET, POD_CIDR and SVC_CIDR of its own.
# shellcheck shell=bash
cluster=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=$(cd "$cluster/../../.." && pwd)/target/lab
version=$(sed -nE 's/^(require|\t) ?k8s.io\/kubernetes (v[0-9.]+).*/\2/p' "$cluster/../control-plane/go.mod")
# Images, and the state of the node that runs or ran last.
home=$lab/cluster
run=$home/run
NODE=${NODE:-gmail-lab} # also of the cgroup, and of the machine's end of the cable
NET=${NET:-10.77.0}     # the cable's /24: the machine is .1, the node .2
POD_CIDR=${POD_CIDR:-10.244.0.0/24}
SVC_CIDR=${SVC_CIDR:-10.96.0.0/16}
host_ip=$NET.1
node_ip=$NET.2
# The first address of SVC_CIDR is the Service `kubernetes`.
svc_ip=${SVC_CIDR%.*}.1
# Debian keeps some of these out of a user's path.
export PATH=${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS:}$lab/bin/$version:$PATH:/usr/sbin:/sbin
export NODE NET POD_CIDR SVC_CIDR host_ip node_ip svc_ip home run

fail() {
  echo "node: $*" >&2
  exit 1
}

# The folders for the node's processes: one with version 2 of cgroups; with version 1, one in each hierarchy, of which
# some machines have one of version 2 beside.
cgroups() {
  if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
    echo "/sys/fs/cgroup/$NODE"
    return
  fi
  local hierarchy
  for hierarchy in /sys/fs/cgroup/*/; do
    case $(stat -f -c %T "$hierarchy") in
      cgroupfs | cgroup2fs) echo "$hierarchy$NODE" ;;
    esac
  done
}
