#!/usr/bin/env bash
# Builds the operator's image without a container engine: `make image`.
#
# It has one static binary and the certificate authorities that Debian's ca-certificates has from Mozilla, without those
# that this machine trusts beside them; AUTHORITIES names another file. ARCH is as in static.sh. PROGRAM names a binary that
# is there already, for tests: it goes in with the libraries that it needs, however large, and the archive is in target/image/tried.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/release/static.sh

out=target/image
name=${IMAGE:-gmail-operator}:$version
# The limit for what is pulled: MiB, compressed.
most=25

command -v buildah >/dev/null || install_package buildah
mkdir -p "$out"
origin=$(authorities_origin) || missing ca-certificates "apt-get install ca-certificates"
if [ -n "${AUTHORITIES:-}" ]; then
  authorities=$AUTHORITIES
  [ -r "$authorities" ] || { echo "AUTHORITIES=$authorities cannot be read" >&2; exit 1; }
else
  authorities=$out/ca-certificates.crt
  awk 1 /usr/share/ca-certificates/mozilla/*.crt >"$authorities"
fi

libraries=()
if [ -n "${PROGRAM:-}" ]; then
  out=$out/tried
  mkdir -p "$out"
  binary=$out/program
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
  --label org.opencontainers.image.licenses=Apache-2.0 \
  --label "dev.gmail-operator.authorities=$origin" "$container"
buildah commit --quiet --timestamp "$SOURCE_DATE_EPOCH" "$container" "$name" >/dev/null

archive=$out/gmail-operator-$version-$arch.tar
rm -f "$archive"
buildah push --quiet "$name" "oci-archive:$PWD/$archive:$name"
size=$(stat -c %s "$archive")
[ "$size" -le $((most * 1024 * 1024)) ] || { echo "$archive has $size bytes, more than $most MiB" >&2; exit 1; }
echo "$archive: $((size / 1024)) KiB, $name, $(buildah inspect --type image --format '{{.FromImageDigest}}' "$name")"
sha256sum "$binary"
