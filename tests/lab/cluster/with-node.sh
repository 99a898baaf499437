#!/usr/bin/env bash
# Runs a command beside a node that has the operator's image, and ends the node whatever happens: with-node.sh COMMAND…
set -euo pipefail
. "$(dirname "$0")/env.sh"
trap '"$cluster/down.sh"' EXIT
"$cluster/up.sh"
# The newest: of several versions, and of the one that is given out and the one that is only tried.
shopt -s nullglob
images=("$lab"/../image/{,tried/}gmail-operator-*.tar)
[ ${#images[@]} -gt 0 ] || fail "there is no image: make image builds one"
image=$(ls -t "${images[@]}" | head -n 1)
# The documents' readers have it in their target/image.
IMAGE_FOLDER=$(cd "$(dirname "$image")" && pwd)
export IMAGE_FOLDER
"$cluster/load.sh" "$image" "$home/images/python.tar"
"$@"
