#!/usr/bin/env bash
# Loads images into the node that runs: load.sh ARCHIVE…
set -euo pipefail
. "$(dirname "$0")/env.sh"

ctr() { nsenter --target "$(cat "$run/pid")" --mount ctr --namespace k8s.io images "$@"; }

for archive in "$@"; do
  name=$(ctr import "$(realpath "$archive")" | sed -n 's/^unpacking \([^ ]*\) .*/\1/p')
  [ -n "$name" ] || fail "no image is in $archive"
  echo "node: has $name"
  # A name without a registry means this one to the kubelet, as to any container engine.
  case $name in
    */*) ;;
    *) ctr tag --force "$name" "docker.io/library/$name" >/dev/null ;;
  esac
done
