# The configuration of the node's programs; sourced by up.sh.
# shellcheck shell=bash disable=SC2154 # env.sh sets the names

# restrict_oom_score_adj: without CAP_SYS_RESOURCE runc may not lower the score to the -998 of a pod.
cat >"$run/conf/containerd.toml" <<END
version = 2
root = "$run/containerd"
state = "/run/containerd"
imports = []
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins.'io.containerd.grpc.v1.cri']
  restrict_oom_score_adj = true
  sandbox_image = 'localhost/pause:1'
[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc.options]
  BinaryName = '$(command -v runc)'
  SystemdCgroup = false
[plugins.'io.containerd.grpc.v1.cri'.cni]
  bin_dir = '/usr/lib/cni'
  conf_dir = '$run/cni'
END

cat >"$run/cni/10-bridge.conflist" <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
END

# failCgroupV1: the kubelet refuses version 1 otherwise. syncFrequency bounds how late a mounted Secret is renewed; the
# default is a minute. evictionHard: a share of a big disk would be gigabytes.
cat >"$run/conf/kubelet.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /$NODE
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: ["$node_ip"]
clusterDomain: cluster.local
resolvConf: $run/conf/resolv.conf
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$run/pki/ca.crt"}}
authorization: {mode: Webhook}
tlsCertFile: $run/pki/kubelet-server.crt
tlsPrivateKeyFile: $run/pki/kubelet-server.key
syncFrequency: 5s
seccompDefault: true
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 100Mi, imagefs.available: 100Mi, nodefs.inodesFree: 1%, imagefs.inodesFree: 1%}
END
echo "nameserver $node_ip" >"$run/conf/resolv.conf"

# conntrack: its sysctls are read-only outside the machine's own network namespace.
cat >"$run/conf/proxy.yaml" <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: $POD_CIDR
hostnameOverride: $NODE
clientConnection: {kubeconfig: "$run/proxy.conf"}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
END

# Names that pods see, a file for each; dnsmasq notices a new one. More come from whoever starts servers.
echo "$svc_ip kubernetes.default.svc.cluster.local" >"$run/hosts/kubernetes"
echo "$host_ip" >"$run/host-ip"
