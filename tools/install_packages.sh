#!/usr/bin/env bash
# Installs what Penstock builds with, as far as it is missing: Debian 12 and Ubuntu 24.04.
#
#   tools/install_packages.sh            what the program needs
#   tools/install_packages.sh --tests    and what the tests need
#
# The names are the same on both systems; on Ubuntu they were looked up, not tried.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config
  libjpeg-dev libpng-dev libhdf5-dev libtbb-dev libxxhash-dev nlohmann-json3-dev
  libdnnl-dev libhwy-dev libtomlplusplus-dev libcli11-dev libfmt-dev
  libopencv-imgproc-dev libarchive-dev zlib1g-dev libtiff-dev libwebp-dev libgif-dev
  libonnx-dev libprotobuf-dev
)
if [[ "${1:-}" == --tests ]]; then
  packages+=(libboost-test-dev libboost-context-dev libopencv-imgcodecs-dev ccache)
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [[ "$status" == "install ok installed" ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "packages: all ${#packages[@]} are installed"
  exit 0
fi

as_root=(env DEBIAN_FRONTEND=noninteractive)  # sudo clears the environment
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "install: not root and no sudo; as root, run: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo "${as_root[@]}")
fi
echo "packages: installing ${#missing[@]} of ${#packages[@]}: ${missing[*]}"
"${as_root[@]}" apt-get -qq update
"${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
