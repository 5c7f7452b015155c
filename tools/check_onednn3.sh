#!/usr/bin/env bash
# Runs the backends' tests with oneDNN 3.2 from Python's package index, in build/onednn3: its own virtual
# environment and its own build. Where the packages cannot be had it says so. The test `onednn3` runs this.
#
#   tools/check_onednn3.sh
#
# Exit codes: 0 passed; 1 a build or a test failed; 2 usage; 77 skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -eq 0 ] || { echo "usage: tools/check_onednn3.sh" >&2; exit 2; }
build=build/onednn3
prefix=$PWD/$build/venv
log=$build/pip.log
mkdir -p "$build"

skip() {
  echo "SKIPPED: no oneDNN 3.2: $1; see $log"
  exit 77
}

if [ ! -e "$prefix/lib/libdnnl.so" ] || [ ! -e "$prefix/include/dnnl.hpp" ]; then
  python3 -m venv "$prefix" > "$log" 2>&1 || skip "python3 -m venv fails (Debian: python3-venv)"
  # The builds for libgomp, the runtime that the own kernels run on.
  "$prefix/bin/pip" install onednn-cpu-gomp==2023.2.0 onednn-devel-cpu-gomp==2023.2.0 >> "$log" 2>&1 \
    || skip "pip cannot install it"
fi

cmake --preset dev -B "$build" -DPENSTOCK_CUDA=OFF \
  -DDNNL_INCLUDE="$prefix/include" -DDNNL_LIBRARY="$prefix/lib/libdnnl.so"
cmake --build "$build" --parallel "$(nproc)" --target test_train_model
# Another oneDNN must not have crept in.
ldd "$build/test_train_model" | grep -F "$prefix/lib/libdnnl.so.3" \
  || { echo "test_train_model does not load $prefix/lib/libdnnl.so.3" >&2; exit 1; }
ctest --test-dir "$build" --tests-regex '^train_model' --output-on-failure
