#!/usr/bin/env bash
# Builds the operator's image without a container engine: `make image`.
#
# It has one static binary and the certificate authorities that this machine trusts. ARCH=arm64 takes a Rust target and a
# linker of that name, which have to be there; only amd64 has been tried.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=target/image
arch=${ARCH:-amd64}
case $arch in
  amd64) target=x86_64-unknown-linux-gnu ;;
  arm64) target=aarch64-unknown-linux-gnu ;;
  *) echo "image: ARCH is amd64 or arm64, not $arch" >&2; exit 1 ;;
esac
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=${IMAGE:-gmail-operator}:$version
authorities=${AUTHORITIES:-/etc/ssl/certs/ca-certificates.crt}
# The limit for what is pulled: MiB, compressed.
most=25

missing() {
  echo "image: missing: $1" >&2
  echo "image: install it with: $2" >&2
  exit 1
}

command -v buildah >/dev/null || {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || missing buildah "apt-get install buildah"
  echo "image: installing buildah …"
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends buildah >/dev/null ||
    missing buildah "apt-get install buildah"
}
[ -r "$authorities" ] || missing "$authorities" "apt-get install ca-certificates"

# Of the last commit: when it is built leaves no trace in the image.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
commit=$(git describe --always --abbrev=40 --dirty --exclude '*')
echo "image: building a static binary for $target (some minutes the first time)"
# Where it was built is nobody's business, and would make each machine's image another. Google's hosts and mail servers
# are found by glibc's own resolver, which needs no file beside the binary.
RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/source" \
  cargo build --quiet --locked --release --target "$target" --target-dir "$out/build" --bin gmail-operator
binary=$out/build/$target/release/gmail-operator
if file_type=$(readelf -d "$binary" | grep NEEDED); then
  echo "image: the binary is not static: $file_type" >&2
  exit 1
fi

# No mounts and no users of its own are needed to copy two files.
buildah() { command buildah --root "$PWD/$out/storage" --runroot "$PWD/$out/run" --storage-driver vfs "$@"; }
container=$(buildah from --arch "$arch" scratch)
trap 'buildah rm "$container" >/dev/null' EXIT
buildah copy --quiet --chmod 0555 "$container" "$binary" /gmail-operator >/dev/null
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
[ "$size" -le $((most * 1024 * 1024)) ] || { echo "image: $archive has $size bytes, more than $most MiB" >&2; exit 1; }
echo "image: $archive: $((size / 1024)) KiB, $name"
sha256sum "$archive" "$binary"
