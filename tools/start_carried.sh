#!/bin/sh
# Runs the program of this name that tools/bundle.sh carried here, with the libraries it came with. They are
# unpacked the first time, beside the archive or, where nobody may write, in a temporary folder.
set -e
here=$(cd "$(dirname "$0")/.." && pwd -P)
place=$here
if [ ! -w "$here" ]; then
  place=${TMPDIR:-/tmp}/penstock.$(id -u).$(cksum <"$here/programs.tar.gz" | tr -c '0-9\n' .)
  mkdir -p "$place"
fi
if [ ! -d "$place/unpacked" ]; then
  partial=$(mktemp -d "$place/unpacked.XXXXXX")
  tar -xzf "$here/programs.tar.gz" -C "$partial"
  mv -T "$partial" "$place/unpacked" 2>/dev/null || rm -rf "$partial"  # another one was first
fi
LD_LIBRARY_PATH=$place/unpacked/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
PENSTOCK_CUDA_MODULE=${PENSTOCK_CUDA_MODULE:-$place/unpacked/libexec/libpenstock_cuda.so}
export LD_LIBRARY_PATH PENSTOCK_CUDA_MODULE
exec "$place/unpacked/libexec/$(basename "$0")" "$@"
