#!/usr/bin/env bash
# Installs what is missing, builds the preset `dev`, runs every test.
#
#   tools/check.sh [--no-install]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-}" in
  "")
    tools/install_packages.sh --tests
    tools/install_cudnn_frontend.sh
    ;;
  --no-install) ;;
  *) echo "usage: tools/check.sh [--no-install]" >&2; exit 2 ;;
esac

SECONDS=0
cmake --preset dev
cmake --build --preset dev --parallel "$(nproc)"
echo "built in $SECONDS s"
ctest --preset dev --parallel "$(nproc)"
echo "built and tested in $SECONDS s"
