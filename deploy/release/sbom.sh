#!/usr/bin/env bash
# What the image and the plugin are made of, as CycloneDX: `make image` ends with it. ARCH is as in static.sh.
#
# The C library is linked into both programs; the certificate authorities are in the image alone.
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

command -v jq >/dev/null || install_package jq

mkdir -p "$out"
file=gmail-operator-$version-$arch.cdx
# It writes beside Cargo.toml alone.
trap 'rm -f "$file.json"' EXIT
target/tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --target "$target" \
  --no-build-deps --override-filename "$file"
libc=$(dpkg-query --show --showformat='${Version}' libc6-dev 2>/dev/null || getconf GNU_LIBC_VERSION)
read -r authorities authorities_version < <(authorities_origin) || true
# Where it was made is nobody's business.
jq --arg here "path+file://$PWD" --arg libc "$libc" --arg authorities "$authorities" \
  --arg authorities_version "$authorities_version" '
  def part(type; name): {type: type, "bom-ref": name, name: name};
  def version(version; licence): . + {version: version, licenses: [{license: {id: licence}}]};
  walk(if type == "string" then gsub($here; "path+file:///source") else . end)
  | .components += [
      (part("library"; "glibc") | version($libc; "LGPL-2.1-or-later")),
      (part("data"; $authorities) | if $authorities_version == "" then . else version($authorities_version; "MPL-2.0") end)
    ]' "$file.json" >"$out/$file.json"
echo "$out/$file.json: $(grep -c '"bom-ref": "registry+' "$out/$file.json") packages"
