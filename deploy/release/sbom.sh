#!/usr/bin/env bash
# What the image and the plugin are made of, as CycloneDX: `make sbom`. ARCH is as in static.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/release/static.sh

out=target/sbom
tool=0.5.9
if [[ "$(target/tools/bin/cargo-cyclonedx cyclonedx --version 2>/dev/null | awk '{print $NF}')" != "$tool" ]]; then
  echo "installing cargo-cyclonedx $tool (some minutes, the first time only)"
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --root target/tools --target-dir target/tools/build \
    "cargo-cyclonedx@$tool"
fi

mkdir -p "$out"
file=gmail-operator-$version-$arch.cdx
# It writes beside Cargo.toml alone.
trap 'rm -f "$file.json"' EXIT
target/tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --target "$target" \
  --no-build-deps --override-filename "$file"
# Where it was made is nobody's business.
sed "s|path+file://$PWD|path+file:///source|g" "$file.json" >"$out/$file.json"
echo "$out/$file.json: $(grep -c '"bom-ref": "registry+' "$out/$file.json") packages"
