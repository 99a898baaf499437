#!/usr/bin/env bash
# Says in one line why this machine cannot run the node, with status 1; silent where it can.
set -euo pipefail
. "$(dirname "$0")/env.sh"

[ "$(uname -s)" = Linux ] || fail "it needs Linux"
[ "$(id -u)" = 0 ] || fail "it needs root, for namespaces, cgroups and a network of its own"
command -v unshare >/dev/null || fail "it needs unshare, of Debian's util-linux"

mkdir -p "$home"
case $(stat -f -c %T "$home") in
  overlayfs) fail "target/ is on overlayfs, on which containerd and the node's /var cannot be: check out on a volume" ;;
esac
case $(realpath "$home") in
  /var/*) fail "target/ is under /var, which the node covers with one of its own: check out elsewhere" ;;
esac
free=$(df --output=avail -m "$home" | tail -n 1)
[ "$free" -ge 2500 ] || fail "it needs 2.5 GB of free disk for target/, and there are $free MB"

tried=$(mktemp -d "$home/try.XXXXXX")
trap 'rm -rf "$tried"' EXIT
mkdir "$tried"/{low,up,work,both}
unshare --mount --propagation private --net --uts --ipc --pid --fork --mount-proc \
  mount -t overlay try -o "lowerdir=$tried/low,upperdir=$tried/up,workdir=$tried/work" "$tried/both" 2>"$tried/why" ||
  fail "no namespaces with mounts of their own here: $(tail -n 1 "$tried/why")"

[ -n "$(cgroups)" ] || fail "no cgroups are mounted in /sys/fs/cgroup"
for group in $(cgroups); do
  [ -d "$group" ] || { mkdir "$group" && rmdir "$group"; } 2>"$tried/why" ||
    fail "no cgroup can be made: $(cat "$tried/why")"
done
