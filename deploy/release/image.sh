#!/usr/bin/env bash
# Builds the operator's image without a container engine: `make image`.
#
# It has one static binary and the certificate authorities that this machine trusts. ARCH is as in static.sh. PROGRAM names
# a binary that is there already, for tests: it goes in with the libraries that it needs, however large.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/release/static.sh

out=target/image
name=${IMAGE:-gmail-operator}:$version
authorities=${AUTHORITIES:-/etc/ssl/certs/ca-certificates.crt}
# The limit for what is pulled: MiB, compressed.
most=25

command -v buildah >/dev/null || {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || missing buildah "apt-get install buildah"
  echo "installing buildah …"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends buildah; } >/dev/null ||
    missing buildah "apt-get install buildah"
}
[ -r "$authorities" ] || missing "$authorities" "apt-get install ca-certificates"

libraries=()
if [ -n "${PROGRAM:-}" ]; then
  binary=$out/program
  mkdir -p "$out"
  strip -o "$binary" "$PROGRAM"
  mapfile -t libraries < <(ldd "$binary" | grep -o '/[^ ]*')
  most=1000
else
  static_binary gmail-operator
fi
commit=$(git describe --always --abbrev=40 --dirty --exclude '*')

# No mounts and no users of its own are needed to copy two files.
buildah() { command buildah --root "$PWD/$out/storage" --runroot "$PWD/$out/run" --storage-driver vfs "$@"; }
container=$(buildah from --arch "$arch" scratch)
trap 'buildah rm "$container" >/dev/null' EXIT
buildah copy --quiet --chmod 0555 "$container" "$binary" /gmail-operator >/dev/null
for library in "${libraries[@]}"; do buildah copy --quiet "$container" "$library" "$library" >/dev/null; done
buildah copy --quiet --chmod 0444 "$container" "$authorities" /etc/ssl/certs/ca-certificates.crt >/dev/null
buildah config --user 65532:65532 --workingdir / --entrypoint '["/gmail-operator"]' --cmd run \
  --label org.opencontainers.image.title=gmail-operator \
  --label "org.opencontainers.image.version=$version" \
  --label "org.opencontainers.image.revision=$commit" \
  --label org.opencontainers.image.licenses=Apache-2.0 "$container"
buildah commit --quiet --timestamp "$SOURCE_DATE_EPOCH" "$container" "$name" >/dev/null

archive=$out/gmail-operator-$version-$arch.tar
rm -f "$archive"
buildah push --quiet "$name" "oci-archive:$PWD/$archive:$name"
size=$(stat -c %s "$archive")
[ "$size" -le $((most * 1024 * 1024)) ] || { echo "$archive has $size bytes, more than $most MiB" >&2; exit 1; }
echo "$archive: $((size / 1024)) KiB, $name, $(buildah inspect --type image --format '{{.FromImageDigest}}' "$name")"
sha256sum "$binary"
