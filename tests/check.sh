#!/usr/bin/env bash
# Formatting, lints, documents and dependencies; the generated files are checked by the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS=${RUSTFLAGS-}

step() { echo "==> $*"; }

# A tool is built once into an ignored folder, in the version that is named here. Unoptimised and without what a debugger
# needs it is built in half the time, and still has its answer in seconds.
tool() {
  local name=$1 version=$2
  if [[ "$(target/tools/bin/"$name" --version 2>/dev/null | awk '{print $NF}')" != "$version" ]]; then
    step "installing $name $version (some minutes, the first time only)"
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --root target/tools --target-dir target/tools/build "$name@$version"
  fi
}

step "formatting"
cargo fmt --all --check
cargo fmt --manifest-path tests/fuzz/Cargo.toml --check

step "lints (clippy, warnings are errors)"
cargo clippy --quiet --all-targets --locked -- -D warnings

step "documents (rustdoc, warnings are errors)"
# With the demo, so that the dependencies have the features that the lints have checked them with, and are not checked again.
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --locked --lib --bins --examples

step "the fuzzers' lock file"
cargo metadata --quiet --locked --format-version 1 --manifest-path tests/fuzz/Cargo.toml >/dev/null || {
  echo "it does not fit Cargo.toml any more: run make generate"
  exit 1
}

step "shell scripts"
for script in tests/*.sh tests/lab/*.sh tests/lab/cluster/*.sh deploy/samples/workload/*.sh deploy/release/*.sh .ci/run; do bash -n "$script"; done

step "unused dependencies"
tool cargo-machete 0.9.2
target/tools/bin/cargo-machete .

step "dependencies: licences, sources, doubles of the TLS stack"
tool cargo-deny 0.20.2
# It also looks at crates that only other systems build.
cargo fetch --quiet --locked
target/tools/bin/cargo-deny --offline check --hide-inclusion-graph bans licenses sources 2>&1 | grep -v '^$'

step "dependencies: known vulnerabilities"
if target/tools/bin/cargo-deny check --hide-inclusion-graph advisories > target/advisories.log 2>&1; then
  echo "none known"
elif grep -qiE 'failed to (fetch|acquire|clone|open|prepare)|could not|unable to|network|resolve|io error' target/advisories.log && ! grep -q 'RUSTSEC-' target/advisories.log; then
  echo "NOT CHECKED: the advisory database cannot be reached from here"
else
  cat target/advisories.log
  exit 1
fi
