#!/usr/bin/env bash
# The main job on a real model: builds coat, then compiles, runs and verifies a network.
#   scripts/try.sh [model.onnx]      default: SqueezeNet from the onnx package, with random weights
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
ninja -C build coat
mkdir -p build/try
model=${1:-build/try/light_squeezenet.onnx}
[ -f "$model" ] || .venv/bin/python3 test/models/export.py build/try light_squeezenet
set -x
build/bin/coat compile "$model" --name net -o build/try/libnet.so
build/bin/coat run build/try/libnet.so -o build/try/outputs.npz
build/bin/coat verify "$model"
