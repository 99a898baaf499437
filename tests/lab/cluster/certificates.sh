#!/usr/bin/env bash
# Certificates of the node's programs, and a kubeconfig for each of those that talk to the API server.
set -euo pipefail
. "$(dirname "$0")/env.sh"
mkdir -p "$run/pki"
cd "$run/pki"

authority() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 30 -out "$1.crt"
}

# certificate AUTHORITY NAME SUBJECT EXTENSION…
certificate() {
  local by=$1 name=$2 subject=$3
  shift 3
  openssl ecparam -name prime256v1 -genkey -noout -out "$name.key"
  openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr"
  openssl x509 -req -in "$name.csr" -CA "$by.crt" -CAkey "$by.key" -CAcreateserial -days 30 -out "$name.crt" \
    -extfile <(printf '%s\n' "$@") 2>/dev/null
}

client() { certificate ca "$1" "$2" extendedKeyUsage=clientAuth; }

authority ca
# For aggregated APIs: without it the others log an error every few seconds.
authority front-ca
openssl genrsa -out accounts.key 2048 2>/dev/null

names=DNS:localhost,IP:127.0.0.1,IP:$svc_ip,IP:$node_ip
for name in kubernetes kubernetes.default kubernetes.default.svc kubernetes.default.svc.cluster.local; do names+=,DNS:$name; done
certificate ca apiserver /CN=kube-apiserver extendedKeyUsage=serverAuth "subjectAltName=$names"
certificate ca kubelet-server "/O=system:nodes/CN=system:node:$NODE" extendedKeyUsage=serverAuth "subjectAltName=DNS:$NODE,IP:$node_ip"
certificate front-ca front /CN=front-proxy-client extendedKeyUsage=clientAuth
client apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client
client admin /O=system:masters/CN=admin
client kubelet "/O=system:nodes/CN=system:node:$NODE"
client controller-manager /CN=system:kube-controller-manager
client scheduler /CN=system:kube-scheduler
client proxy /CN=system:kube-proxy

text() { base64 -w0 <"$1"; }
for user in admin kubelet controller-manager scheduler proxy; do
  cat >"$run/$user.conf" <<END
apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "https://$node_ip:6443", certificate-authority-data: $(text ca.crt)}}]
users: [{name: user, user: {client-certificate-data: $(text $user.crt), client-key-data: $(text $user.key)}}]
contexts: [{name: node, context: {cluster: node, user: user}}]
current-context: node
END
done
