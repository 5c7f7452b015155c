#!/usr/bin/env bash
# Installs PyTorch in a virtual environment and runs its training step beside Penstock's.
#
#   tools/bench/peers/compare_training.sh PENSTOCK [VENV] [ARGUMENT...]
#
# PENSTOCK is the program, VENV where PyTorch is or goes (build/peers), ARGUMENT... those of
# compare_training.py, such as --case paired_cnn --rounds 9 --json. Ends with 77 and a line that begins
# with "skipped" where PyTorch cannot be had.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
[[ $# -ge 1 ]] || { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
penstock="$1"
venv="${2:-$here/../../../build/peers}"
shift $(( $# < 2 ? $# : 2 ))

skip() { echo "skipped: $1"; exit 77; }

if ! "$venv/bin/python" -c 'import torch, torchvision' 2> /dev/null; then
  python3 -m venv "$venv" || skip "python3 -m venv $venv failed"
  "$venv/bin/pip" install --quiet torch torchvision --index-url https://download.pytorch.org/whl/cpu ||
    "$venv/bin/pip" install --quiet torch torchvision || skip "PyTorch could not be installed"
fi
cases=()
[[ " $* " == *" --case "* ]] || cases=(paired_cnn resnet18)
for case in "${cases[@]}"; do
  "$venv/bin/python" "$here/compare_training.py" --penstock "$penstock" --case "$case" "$@"
done
[[ ${#cases[@]} -gt 0 ]] || "$venv/bin/python" "$here/compare_training.py" --penstock "$penstock" "$@"
