#!/bin/bash
# Runs on a machine with a GPU what no other machine can run: builds the preset `cuda`, prints the
# versions and runs the tests labelled `cuda`. Without a GPU it says so and exits 0.
#
#   tools/gpu_check.sh [--build-anyway]     also builds and tests where no device answers
#
# Exit codes: 0 passed, or skipped; 1 a build or a test failed; 2 usage.
set -euo pipefail
cd "$(dirname "$0")/.."

build_anyway=no
for argument in "$@"; do
  case "$argument" in
    --build-anyway) build_anyway=yes ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "gpu_check: arguments: expected --build-anyway, found $argument" >&2; exit 2 ;;
  esac
done

# The driver answers for the devices; nvidia-smi comes with it.
devices=""
if command -v nvidia-smi >/dev/null; then
  devices="$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || true)"
fi
if [ -z "$devices" ]; then
  echo "skipped: no device answers"
  [ "$build_anyway" = yes ] || exit 0
else
  echo "devices: $devices"
fi

tools/install_cudnn_frontend.sh || exit 1
cmake --preset cuda || exit 1
cmake --build --preset cuda --target penstock_cuda test_cuda_module test_cudnn_plans test_gpu_step || exit 1

# -V prints what the tests say of versions and of skipped cases.
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if ! ctest --test-dir build/cuda -L cuda -V --no-tests=error >"$log" 2>&1; then
  cat "$log"
  echo "failed: the tests of the CUDA module"
  exit 1
fi
grep -E "CUDA runtime|SKIPPED|tests passed" "$log"
if [ -n "$devices" ] && grep -q SKIPPED "$log"; then
  echo "failed: nvidia-smi names a device, but the module finds none"
  exit 1
fi
echo "passed"
