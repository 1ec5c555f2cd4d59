#!/usr/bin/env bash
# What takes too long for every change: all of scripts/check.sh, then the large models, and the slow ones at -O0 too.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/check.sh
COAT_TEST_LONG=1 .venv/bin/python3 -m pytest -q test/Execute
