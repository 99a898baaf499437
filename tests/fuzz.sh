#!/usr/bin/env bash
# Fuzzes what strangers can send. FUZZ_SECONDS is for each target, of which two run at once for each core;
# arguments name some of them.
#
# It is libFuzzer, with the flags of cargo-fuzz but no sanitizer: that needs a nightly compiler, and would look for
# faults of unsafe code, of which the operator has none. What was found before comes from target/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."

targets=(callback_query cookie token_answer id_token imap pop3 smtp)
[ $# -eq 0 ] || targets=("$@")
seconds=${FUZZ_SECONDS:-5}
host=$(rustc -vV | sed -n 's/^host: //p')
out=$PWD/target/fuzz
flags=(--cfg fuzzing -Cpasses=sancov-module)
for flag in level=4 inline-8bit-counters pc-table trace-compares stack-depth; do
  flags+=("-Cllvm-args=-sanitizer-coverage-$flag")
done

echo "==> building the fuzzers (some minutes the first time)"
# --target keeps the flags from build scripts.
RUSTFLAGS="${flags[*]}" cargo build --quiet --locked --release \
  --manifest-path tests/fuzz/Cargo.toml --target-dir "$out" --target "$host"

fuzz() {
  local target=$1 log=$out/$1.log
  mkdir -p "$out/corpus/$target" "$out/found"
  if ! "$out/$host/release/$target" "$out/corpus/$target" "tests/fuzz/corpus/$target" \
    -max_total_time="$seconds" -max_len=8192 -timeout=5 -rss_limit_mb=1024 \
    -artifact_prefix="$out/found/$target-" -print_final_stats=1 >"$log" 2>&1; then
    grep -vE '^#[0-9]' "$log" | tail -n 40
    echo "$target: found something: see $log"
    return 1
  fi
  awk -v of="$target" '/stat::number_of_executed_units/ { n = $2 } /cov: / { c = $4 } END { print of ": " n " inputs, " c " edges" }' "$log"
}
export -f fuzz
export host out seconds

echo "==> fuzzing ${targets[*]}, $seconds s each"
printf '%s\n' "${targets[@]}" | xargs -P "$(($(nproc) * 2))" -I{} bash -c 'fuzz {}'
