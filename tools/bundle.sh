#!/usr/bin/env bash
# Makes a folder that trains, tests and measures on a GPU of another machine: programs, fixture shards, scripts
# and the shared libraries they need, but for those of glibc and of NVIDIA.
#
#   tools/bundle.sh BUILD FOLDER
#
# BUILD is a build folder; a new one is configured, with optimisation and without ONNX, for the GPU architectures
# in PENSTOCK_BUNDLE_ARCHITECTURES (90). FOLDER must not exist. It runs on x86-64 with glibc 2.36 or newer and an
# NVIDIA driver for CUDA 13; cuBLAS, NVRTC and cuDNN 9 are found as train/backend/cuda/README.md says.
# There: FOLDER/gpu_check.sh truth, sanitize, bench; FOLDER/bin/penstock.
#
# Ends with 1 when FOLDER would be larger than 60 MiB, or needs what it must not.
set -euo pipefail
[[ $# -eq 2 && "$1" != -* ]] || { sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$1 folder=$2

fail() { echo "bundle: $1" >&2; exit 1; }

[[ ! -e "$folder" ]] || fail "$folder: expected no such folder, found one"
architectures=${PENSTOCK_BUNDLE_ARCHITECTURES:-90}
new=()
[[ -e "$build/CMakeCache.txt" ]] ||
  new=(-G Ninja -DCMAKE_BUILD_TYPE=Release "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG"
       "-DCMAKE_CUDA_ARCHITECTURES=$architectures")
cmake -S "$root" -B "$build" "${new[@]}" -DPENSTOCK_CARRIED=ON -DPENSTOCK_CUDA=ON -DPENSTOCK_ONNX=OFF \
      -DPENSTOCK_TESTS=ON >/dev/null
programs=(test_gpu_kernels test_gpu_plans test_gpu_step gpu_facts model_probe)
cmake --build "$build" --target penstock-carried penstock penstock-fixtures penstock_cuda "${programs[@]}"

partial=$folder.partial
rm -rf "$partial"
packed=$partial/packed
mkdir -p "$partial"/{bin,data,scripts} "$packed"/{libexec,lib}
trap 'rm -rf "$partial"' EXIT

# What is run, stripped, and a starter for each.
strip -o "$packed/libexec/penstock" "$build/penstock-carried"
strip -o "$packed/libexec/libpenstock_cuda.so" "$build/libpenstock_cuda.so"
for program in "${programs[@]}"; do strip -o "$packed/libexec/$program" "$build/$program"; done
for program in penstock "${programs[@]}"; do
  cp "$root/tools/start_carried.sh" "$partial/bin/$program"
done

# What they need of this machine.
is_there() {  # what every machine with glibc has, or NVIDIA brings
  case $1 in
    ld-linux*|linux-vdso*|libc.so*|libm.so*|libdl.so*|libpthread.so*|librt.so*|libresolv.so*) return 0 ;;
    libcuda.so*|libcudart*|libcudnn*|libcublas*|libnvrtc*|libnvJitLink*) return 0 ;;
  esac
  return 1
}
missing=$(ldd "$packed"/libexec/* 2>/dev/null | awk '/not found/ {print $1}' | sort -u)
for name in $missing; do is_there "$name" || fail "$name: expected a library, found none"; done
ldd "$packed"/libexec/* 2>/dev/null | awk '$2 == "=>" && $3 ~ "^/" {print $1, $3}' | sort -u |
  while read -r name path; do
    is_there "$name" || cp -L "$path" "$packed/lib/$name"
  done
for name in libicu libarchive libopencv libcurl; do
  [[ -z "$(find "$packed/lib" -name "$name*")" ]] || fail "$name: expected nothing that needs it, found it"
done
find "$packed" -type f -printf '%s %P\n' | sort -rn |
  awk '{printf "%10.1f KiB  %s, before it is packed\n", $1 / 1024, $2}'
# oneDNN is more than half of it, and a quarter of its size when packed.
tar -C "$packed" --sort=name -cf - . | gzip -9 >"$partial/programs.tar.gz"
rm -r "$packed"

# Shards to train from: the dataset of the recipe, its pictures scaled down to what the recipe reads.
"$build/penstock-fixtures" shapes "$partial/pictures" >/dev/null
"$build/penstock" convert "$partial/pictures" "$partial/data/shapes.ds" --resize-short 80 --quality 90 --quiet
rm -r "$partial/pictures"
cp "$root/tools/recipes/shapes.toml" "$partial/data/"

cp "$root/tools/gpu_check.sh" "$partial/"
cp "$root"/tools/bench/peers/torch_gpu_step.py "$root"/tests/interop/{torch_losses,probe}.py \
   "$root/tools/pth_to_safetensors.py" "$partial/scripts/"
git -C "$root" describe --always --dirty --abbrev=12 >"$partial/commit" 2>/dev/null || echo unknown >"$partial/commit"

find "$partial" -type f -printf '%s %P\n' | sort -rn | awk '{printf "%10.1f KiB  %s\n", $1 / 1024, $2}'
bytes=$(find "$partial" -type f -printf '%s\n' | awk '{sum += $1} END {print sum}')
awk -v bytes="$bytes" 'BEGIN {printf "%10.1f KiB  in all\n", bytes / 1024}'
((bytes <= 60 * 1024 * 1024)) || fail "expected at most 60 MiB, found $((bytes / 1024 / 1024))"
mv "$partial" "$folder"
