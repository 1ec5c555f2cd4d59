#!/usr/bin/env bash
# Passes all tests; exactly what CI runs. Sets up and builds first.
#   scripts/check.sh           lit and unit tests, the models, the official ONNX node tests, hostile models
# What takes longer (large models, sanitizers, fuzzers) is in scripts/check_long.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
ninja -C build
ninja -C build check
.venv/bin/python3 -m pytest -q -n 2 --dist loadgroup test/Onnx test/Execute test/Hostile test/Gpu
.venv/bin/python3 test/fuzz/differential.py --seed 1 --count 25
