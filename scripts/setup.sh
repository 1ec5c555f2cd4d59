#!/usr/bin/env bash
# Everything a fresh Debian bookworm with Python 3.11 needs to build and test coat: Debian packages by
# name, a virtual environment in .venv, and a configured build folder. Does nothing that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  # The compiler: one shared libLLVM and libMLIR, lld as a library and as our linker, clang for bitcode.
  llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools liblld-22-dev lld-22 clang-22
  # Sanitizers and libFuzzer.
  libclang-rt-22-dev
  # The build.
  cmake ninja-build ccache g++ pkg-config python3-venv python3-dev
  # Libraries: ONNX schema, thread pool, archives of arrays, tests, benchmarks.
  libprotobuf-dev protobuf-compiler libpthreadpool-dev libzip-dev libgtest-dev libbenchmark-dev
  # Emulated CPUs for the tests that must not depend on the one at hand.
  qemu-user
  # What LLVM's CMake package asks for.
  libzstd-dev zlib1g-dev libxml2-dev libedit-dev libcurl4-openssl-dev
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if ((${#missing[@]})); then
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  $as_root apt-get update -q
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -yq --no-install-recommends "${missing[@]}"
fi

if ! cmp -s requirements.txt .venv/installed.txt; then
  python3 -m venv .venv
  .venv/bin/python3 -m pip install -q --disable-pip-version-check -r requirements.txt
  cp requirements.txt .venv/installed.txt
fi

[ -f build/build.ninja ] || cmake --preset default
