#!/usr/bin/env bash
# Fuzzes what reads strangers' bytes: scripts/fuzz.sh SECONDS [target ..]; SECONDS for each target, one process.
# Builds by the preset `asan`. Corpora grow in build-asan/corpus; a finding is build-asan/findings/<target>-crash-..,
# shown again by build-asan/bin/fuzz-<target> FILE.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?expected seconds, as in scripts/fuzz.sh 60}
shift
targets=("${@:-}")
[ -n "${targets[0]}" ] || targets=(onnx torch external-data arguments attributes arrays)

python=$(sed -n 's/^Python3_EXECUTABLE:[A-Z]*=//p' build/CMakeCache.txt)
[ -f build-asan/build.ninja ] || cmake --preset asan -DPython3_EXECUTABLE="$python"
ninja -C build-asan fuzzers
"$python" fuzz/corpus.py build-asan/corpus
mkdir -p build-asan/findings
# LLVM's libraries have no instrumentation: what they take from a pool that coat's code poisoned, they do not unpoison.
# What was freed is kept for a while, small blocks with a multiple of their size around them: 16 MB of it are enough to see
# late uses, and the default of 256 looks like a leak.
export ASAN_OPTIONS=allow_user_poisoning=0:detect_leaks=0:quarantine_size_mb=16 UBSAN_OPTIONS=print_stacktrace=1
failed=0
for target in "${targets[@]}"; do
  echo "== $target"
  build-asan/bin/fuzz-"$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -max_len=16384 -dict=build-asan/corpus/"$target".dict \
    -artifact_prefix=build-asan/findings/"$target"- -print_final_stats=1 build-asan/corpus/"$target" 2> build-asan/"$target".log || failed=1
  grep -E "^stat::(number_of_executed_units|new_units_added|peak_rss_mb)|ERROR|SUMMARY|expected" build-asan/"$target".log | head -20
done
exit $failed
