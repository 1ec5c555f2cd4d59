#!/usr/bin/env bash
# What takes too long for every change: all of scripts/check.sh, then the large models and the slow ones at -O0 too, other
# CPUs, random graphs, the sanitizers and the fuzz targets. FUZZ_SECONDS (default 1800) is the time of each fuzz target.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/check.sh
python=.venv/bin/python3
COAT_TEST_LONG=1 $python -m pytest -q test/Execute test/Hostile test/Onnx/test_model_data.py
# All kernels of the large models through ptxas and nvdisasm, twins in all types, all planted faults: about 25 minutes of a core, kernels that
# build/ptxas-cache remembers less.
COAT_TEST_LONG=1 $python -m pytest -q -n 2 --dist loadgroup test/Gpu

# CPUs with less and with more than the default; one that this machine has not is skipped by its name.
for march in x86-64-v2 x86-64-v4; do
  COAT_TEST_MARCH=$march $python -m pytest -q -n 2 --dist loadgroup test/Onnx test/Execute
done

# AVX-512 on an emulated CPU, where there is Debian's Bochs.
if command -v bochs > /dev/null; then
  scripts/emulate_avx512.sh
  MARCH=icelake-server BOCHS_CPU=corei7_icelake_u scripts/emulate_avx512.sh
else
  echo "skipped: scripts/emulate_avx512.sh, which needs bochs (apt install bochs bochs-term vgabios)"
fi

$python test/fuzz/differential.py --seed "$(date +%s)" --count 2000
$python test/fuzz/differential.py --seed 2 --count 200 --sanitize
$python test/fuzz/differential.py --seed 3 --count 200 --flag=-march=x86-64-v2

# coat itself under AddressSanitizer and UBSan; models of the small shapes only.
[ -f build-asan/build.ninja ] || cmake --preset asan
ninja -C build-asan coat coat-opt coat-emulate coat-unit-tests
export ASAN_OPTIONS=allow_user_poisoning=0:detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
build-asan/bin/coat-unit-tests --gtest_brief=1
# Not what links coat::threads into programs of its own, which have no sanitizer, nor emulated CPUs, which have no shadow memory.
.venv/bin/lit -v --filter-out '(Link/|Python/|Driver/host)' build-asan/test
# Python's extension is the plain one of build/; the tool is the sanitized one.
COAT=$PWD/build-asan/bin/coat COAT_TEST_SANITIZED=1 $python -m pytest -q -n 2 --dist loadgroup test/Hostile test/Onnx test/Execute \
  -k "not resnet50 and not vit_b and not vgg"

scripts/fuzz.sh "${FUZZ_SECONDS:-1800}"
