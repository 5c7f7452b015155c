#!/usr/bin/env bash
# Brings the headers of cudnn-frontend, with which the CUDA module is compiled, into build/cudnn_frontend, where
# CMake looks for them. Needs pip and the network, the first time; nothing of it is needed to run Penstock. Does
# nothing where there is no nvcc or no cudnn.h.
#
#   tools/install_cudnn_frontend.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=1.23.0  # as in tools/cmake/cuda.cmake
folder=build/cudnn_frontend

nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
if [[ ! -x "$nvcc" ]]; then
  echo "cudnn-frontend: no nvcc, nothing to do"
  exit 0
fi
toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
has_cudnn=false
for include in "$toolkit/include" /usr/include /usr/include/x86_64-linux-gnu; do
  if [[ -e "$include/cudnn.h" ]]; then has_cudnn=true; fi
done
if ! $has_cudnn; then
  echo "cudnn-frontend: no cudnn.h, nothing to do"
  exit 0
fi
if [[ -e "$folder/nvidia_cudnn_frontend-$version.dist-info" ]]; then
  echo "cudnn-frontend: $version is there"
  exit 0
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
  echo "cudnn-frontend: expected python3 with pip, found none: the CUDA module is left out" >&2
  echo "  sudo apt-get install --no-install-recommends python3-pip" >&2
  exit 0
fi
echo "cudnn-frontend: installing $version into $folder"
rm -rf "$folder"
python3 -m pip install --quiet --no-deps --root-user-action=ignore --target "$folder" \
  "nvidia-cudnn-frontend==$version"
