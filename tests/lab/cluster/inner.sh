#!/usr/bin/env bash
# The first process of the node, inside the namespaces that up.sh makes: with its end all that it started ends.
set -uo pipefail
. "$(dirname "$0")/env.sh"

mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/containerd
# /var/lib/kubelet, /var/lib/cni and /var/log/pods are not to be the machine's.
mount -t overlay node-var -o "lowerdir=/var,upperdir=$run/var,workdir=$run/var-work" /var
hostname "$NODE"
# The kubelet sets these for the whole machine: it gets copies.
for file in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  copy=$run/sysctl/${file//\//_}
  cat "/proc/sys/$file" >"$copy"
  mount --bind "$copy" "/proc/sys/$file"
done

# until_true COMMAND…: half a minute at most; up.sh tells what did not come.
until_true() {
  for _ in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "waited in vain for: $*"
  exit 1
}

ip link set lo up
until_true ip link show eth0
ip addr add "$node_ip/24" dev eth0
ip link set eth0 up
ip route add default via "$host_ip"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

# start NAME COMMAND…: in the background, with a log of that name.
start() {
  local name=$1
  shift
  "$@" >"$run/log/$name.log" 2>&1 &
}
pki=$run/pki

start containerd containerd --config "$run/conf/containerd.toml"
# It knows the names in the folder and no other server: what is not there, is nowhere.
start dnsmasq dnsmasq --keep-in-foreground --log-facility=- --conf-file=/dev/null --user=root --pid-file= \
  --listen-address="$node_ip" --bind-interfaces --no-resolv --no-hosts --hostsdir="$run/hosts" --local=/#/
start etcd etcd --data-dir "$run/etcd" --unsafe-no-fsync \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster default=http://127.0.0.1:2380
start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
  --advertise-address="$node_ip" --secure-port=6443 --service-cluster-ip-range="$SVC_CIDR" \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
  --kubelet-client-certificate="$pki/apiserver-kubelet.crt" --kubelet-client-key="$pki/apiserver-kubelet.key" \
  --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-signing-key-file="$pki/accounts.key" --service-account-key-file="$pki/accounts.key" \
  --requestheader-client-ca-file="$pki/front-ca.crt" --requestheader-allowed-names=front-proxy-client \
  --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
  --requestheader-username-headers=X-Remote-User \
  --proxy-client-cert-file="$pki/front.crt" --proxy-client-key-file="$pki/front.key" \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement \
  --profiling=false

until_true ctr version
ctr --namespace k8s.io images import "$home/images/pause.tar" >"$run/log/pause.log" 2>&1
until_true kubectl --kubeconfig="$run/admin.conf" get --raw /readyz

# as USER: the flags by which a component is that user, and asks the API server who asks it.
as() { echo "--kubeconfig=$run/$1.conf --authentication-kubeconfig=$run/$1.conf --authorization-kubeconfig=$run/$1.conf"; }
# shellcheck disable=SC2046 # one word for each flag
start kube-controller-manager kube-controller-manager $(as controller-manager) --bind-address=127.0.0.1 --leader-elect=false \
  --root-ca-file="$pki/ca.crt" --service-account-private-key-file="$pki/accounts.key" --use-service-account-credentials \
  --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key"
# shellcheck disable=SC2046
start kube-scheduler kube-scheduler $(as scheduler) --bind-address=127.0.0.1 --leader-elect=false
start kubelet kubelet --config="$run/conf/kubelet.yaml" --kubeconfig="$run/kubelet.conf" --root-dir="$run/kubelet" \
  --cert-dir="$run/kubelet-pki" --hostname-override="$NODE" --node-ip="$node_ip"
start kube-proxy kube-proxy --config="$run/conf/proxy.yaml"

# The shell waits for what its children leave behind, too.
trap : TERM HUP
while :; do
  sleep 3600 &
  wait $!
done
