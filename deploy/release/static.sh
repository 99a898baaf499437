# What image.sh, plugin.sh and sbom.sh have in common; they read it from the repository's folder.
#
# ARCH=arm64 takes a Rust target and a linker of that name, which have to be there; only amd64 has been tried.

arch=${ARCH:-amd64}
case $arch in
  amd64) target=x86_64-unknown-linux-gnu ;;
  arm64) target=aarch64-unknown-linux-gnu ;;
  *) echo "ARCH is amd64 or arm64, not $arch" >&2; exit 1 ;;
esac
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Of the last commit: when something is built leaves no trace in it.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

missing() {
  echo "missing: $1" >&2
  echo "install it with: $2" >&2
  exit 1
}

# Installs a package of Debian's where that is allowed to us.
install_package() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || missing "$1" "apt-get install $1"
  echo "installing $1 …"
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$1"; } >/dev/null ||
    missing "$1" "apt-get install $1"
}

# Where the image's certificate authorities come from: "ca-certificates 20230311", or the file that AUTHORITIES names.
authorities_origin() {
  if [ -n "${AUTHORITIES:-}" ]; then
    echo "${AUTHORITIES##*/}"
  else
    dpkg-query --show --showformat='ca-certificates ${Version}' ca-certificates 2>/dev/null
  fi
}

# Builds a program of that name, and puts its path into $binary.
static_binary() {
  echo "building $1, static, for $target (some minutes the first time)"
  # Where it was built is nobody's business, and would make each machine's binary another. Names are looked up by
  # glibc's own resolver, which needs no file beside the binary.
  RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$PWD=/source" \
    cargo build --quiet --locked --release --target "$target" --target-dir target/static --bin "$1"
  binary=target/static/$target/release/$1
  local needed
  if needed=$(readelf -d "$binary" | grep NEEDED); then
    echo "$binary is not static: $needed" >&2
    exit 1
  fi
}
