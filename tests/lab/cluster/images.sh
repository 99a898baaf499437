#!/usr/bin/env bash
# Makes the two images beside the operator's, as archives: what holds a pod open, and Debian's Python under the name that
# deploy/samples/workload asks for. No registry is needed, and none is asked.
set -euo pipefail
. "$(dirname "$0")/env.sh"
images=$home/images
mkdir -p "$images"
work=$(mktemp -d "$images/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

# No mounts and no users of its own are needed to copy files.
buildah() { command buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }

# image FILE NAME FOLDER: all that is in the folder.
image() {
  local archive=$images/$1 name=$2 folder=$3 container
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$folder" / >/dev/null
  buildah config --user 65532:65532 --workingdir / --entrypoint "[\"/$(basename "$folder")\"]" "$container"
  buildah commit --quiet "$container" "$name" >/dev/null
  buildah push --quiet "$name" "oci-archive:$work/image.tar:$name"
  mv "$work/image.tar" "$archive"
}

pause() {
  [ "$images/pause.tar" -nt "$cluster/pause.c" ] && return
  mkdir "$work/pause"
  cc -static -Os -s -o "$work/pause/pause" "$cluster/pause.c"
  image pause.tar localhost/pause:1 "$work/pause"
}

# The interpreter, its own library, and what they are linked with.
python() {
  [ "$images/python.tar" -nt "$cluster/images.sh" ] && return
  local program library root=$work/python
  program=$(readlink -f /usr/bin/python3)
  library=/usr/lib/$(basename "$program")
  mkdir "$root"
  { ldd "$program" "$library"/lib-dynload/*.so | grep -oE '/[^ ]+\.so[^ ]*' | grep -v : | sort -u; echo "$program"; } |
    xargs cp --parents --dereference --target-directory "$root"
  cp --parents --recursive --dereference "$library" "$root"
  ln -s "$(basename "$program")" "$root/usr/bin/python3"
  find "$root" -name __pycache__ -prune -exec rm -r {} +
  image python.tar docker.io/library/python:3-slim "$root"
}

pause
python
