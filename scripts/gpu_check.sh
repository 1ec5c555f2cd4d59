#!/usr/bin/env bash
# Proves the CUDA path on a GPU: conformance kernels one instruction at a time, all models against the CPU's results, CUDA graphs,
# compute-sanitizer where it is found, and times against cuBLAS, cuDNN, SDPA and torch.compile where there is a PyTorch with CUDA.
#
#   scripts/gpu_check.sh --prepare             compiles everything into build/gpu_check; needs coat and ptxas, no GPU
#   scripts/gpu_check.sh [--no-bench] [--only name,..] [--golden]
#                                              checks; needs a GPU, its driver and python3. Prepares first where coat is built
#                                              and build/gpu_check is not there. Writes build/gpu_check/results.json
#
# Without LLVM: copy scripts/ and build/gpu_check to the machine with the GPU (COAT_GPU_CHECK names another folder).
# --golden writes what the GPU computed for the conformance kernels to test/Gpu/golden, to be committed.
# --plot (where matplotlib is found) draws the ratios to the peers to results.svg, beside the JSON.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${COAT_GPU_CHECK:-build/gpu_check}
python=python3
[ -x .venv/bin/python3 ] && python=.venv/bin/python3
if [ "${1:-}" = --prepare ]; then
  shift
  exec "$python" scripts/gpu/prepare.py "$folder" "$@"
fi
if [ ! -f "$folder/manifest.json" ]; then
  if [ ! -x build/bin/coat ]; then
    echo "expected $folder/manifest.json or build/bin/coat; try scripts/gpu_check.sh --prepare where coat is built, and carry $folder along" >&2
    exit 1
  fi
  "$python" scripts/gpu/prepare.py "$folder"
fi
exec "$python" scripts/gpu/check.py "$folder" "$@"
