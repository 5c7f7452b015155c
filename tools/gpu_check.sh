#!/usr/bin/env bash
# Runs on a machine with a GPU what no other machine can run, the most telling first.
#
#   gpu_check.sh truth|sanitize|bench [OUTPUT]
#
#   truth      versions, kernels against the reference, plans against plain loops, steps of models, a run from
#              shards
#   sanitize   the kernels under compute-sanitizer: memcheck, racecheck
#   bench      steps and copies, beside PyTorch where it is installed
#
# OUTPUT/MODE.jsonl gets a line for each item as soon as it is done, and is worth as much when the rest is cut off;
# OUTPUT/MODE.log has what the items printed. OUTPUT is $OUT, else gpu_check.out.
#
#   PENSTOCK_PROGRAMS            folder of the programs (bin beside this script, else build/bundle of the tree)
#   PENSTOCK_GPU_CHECK_SECONDS   items begin until then (450)
#   PENSTOCK_GPU_CHECK_ITEMS     only items of such names ('*compiled'); all of them without
#   PENSTOCK_PYTHON              Python that may have torch (python3)
#
# Exit codes: 0 nothing failed, or no device answers and everything was skipped; 1 an item failed; 2 usage.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
usage() { sed -n '2,21s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
case "${1:-}" in
  truth|sanitize|bench) mode=$1 ;;
  -h|--help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
[[ $# -le 2 ]] || { usage >&2; exit 2; }
output=${2:-${OUT:-gpu_check.out}}
mkdir -p "$output" || exit 1
output=$(cd "$output" && pwd -P)
lines=$output/$mode.jsonl log=$output/$mode.log
: >"$lines"
: >"$log"

if [[ -d $here/bin ]]; then  # as tools/bundle.sh lays it out
  programs=$here/bin data=$here/data scripts=$here/scripts peers=$here/scripts
  converter=$here/scripts/pth_to_safetensors.py
else
  root=$(dirname "$here")
  programs=$root/build/bundle data=$root/build/bundle/gpu_check_data
  scripts=$root/tests/interop peers=$root/tools/bench/peers
  converter=$root/tools/pth_to_safetensors.py
fi
programs=${PENSTOCK_PROGRAMS:-$programs}
data=${PENSTOCK_GPU_CHECK_DATA:-$data}
python=${PENSTOCK_PYTHON:-python3}
penstock=$programs/penstock
deadline=${PENSTOCK_GPU_CHECK_SECONDS:-450}
if [[ ! -x "$penstock" ]]; then
  echo "gpu_check: $penstock: expected the program, found none" >&2
  echo "hint: tools/bundle.sh build/bundle FOLDER && FOLDER/gpu_check.sh $mode" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

num_passed=0 num_failed=0 num_skipped=0 num_left=0
SECONDS=0

json_text() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "$(tr -d '\000-\010\013-\037' <<<"$text" | tr '\t\n' '  ' | sed 's/ *$//')"
}

# record ITEM OUTCOME SECONDS REASON [FIGURES]
record() {
  printf '{"item": %s, "outcome": "%s", "seconds": %s, "reason": %s, "figures": [%s]}\n' \
    "$(json_text "$1")" "$2" "$3" "$(json_text "$4")" "${5:-}" >>"$lines"
  printf '%-28s %-12s %4s s  %s\n' "$1" "$2" "$3" "$4"
  case $2 in
    passed) ((++num_passed)) ;;
    failed|cut_off) ((++num_failed)) ;;
    skipped) ((++num_skipped)) ;;
    not_reached) ((++num_left)) ;;
  esac
}

# What a command printed as figures: lines behind "FIGURES: ", or one JSON object.
figures_of() {
  local found
  found=$(sed -n 's/^FIGURES: //p' "$1" | paste -sd, -)
  if [[ -z "$found" && $(head -c 1 "$1") == '{' ]]; then found=$(tr -d '\n' <"$1"); fi
  printf '%s' "$found"
}

# item NAME LIMIT_S COMMAND...: runs a command, cut off after so long, and says what came of it.
item() {
  local name=$1 limit=$2 left=$((deadline - SECONDS)) begun=$SECONDS code outcome reason=""
  shift 2
  # shellcheck disable=SC2053  # a pattern
  [[ $name == ${PENSTOCK_GPU_CHECK_ITEMS:-*} ]] || return 0
  if [[ -n "$no_device" ]]; then record "$name" skipped 0 "$no_device"; return; fi
  if ((left < 1)); then record "$name" not_reached 0 "the time was up"; return; fi
  ((limit <= left)) || limit=$left
  printf '== %s: %s\n' "$name" "$*" >>"$log"
  timeout -k 5 "$limit" "$@" >"$work/out" 2>"$work/err" </dev/null
  code=$?
  cat "$work/out" "$work/err" >>"$log"
  outcome=passed
  if [[ $code == 124 || $code == 137 ]]; then
    outcome=cut_off reason="not done after $limit s"
  elif [[ $code == 77 ]] || { [[ $code == 0 ]] && grep -q '^SKIPPED' "$work/out"; }; then
    outcome=skipped reason=$(sed -n 's/^SKIPPED[^:]*: //p' "$work/out" | head -1)
  elif [[ $code != 0 ]]; then
    outcome=failed
    reason=$(cat "$work/out" "$work/err" | grep -E '^penstock: |error|FAILED|failed' | head -3)
    reason="exit code $code: ${reason:-$(cat "$work/out" "$work/err" | tail -1)}"
  fi
  record "$name" "$outcome" $((SECONDS - begun)) "$reason" "$(figures_of "$work/out")"
}

# First of all: what is here, and whether a device answers. No device is no failure; a module that does not load
# where the driver finds a device is one.
no_device=""
versions() {
  "$penstock" info --json >"$work/info" 2>>"$log"
  if grep -q '"is_loaded": false' "$work/info" && [[ -z "${PENSTOCK_CUDA_LIBRARIES:-}" ]]; then
    # Of a Python that is not where the module looks.
    local folders
    folders=$("$python" -c 'import glob, sysconfig
paths = sysconfig.get_paths()
print(":".join(glob.glob(paths["purelib"] + "/nvidia/*/lib") + glob.glob(paths["platlib"] + "/nvidia/*/lib")))' \
      2>/dev/null)
    if [[ -n "$folders" ]]; then
      export PENSTOCK_CUDA_LIBRARIES=$folders
      "$penstock" info --json >"$work/info" 2>>"$log"
    fi
  fi
  local smi torch commit reason
  smi=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null | paste -sd';' -)
  torch=$("$python" -c 'import torch; print(torch.__version__)' 2>/dev/null)
  commit=$(cat "$here/commit" 2>/dev/null)
  reason=$(sed -n '/"cuda"/,/}/s/.*"reason": "\(.*\)",*$/\1/p' "$work/info" | head -1)
  {
    echo "== versions"
    cat "$work/info"
    uname -a
    ldd --version | head -1
    LD_LIBRARY_PATH=$here/unpacked/lib ldd "$here"/unpacked/libexec/* "$programs/libpenstock_cuda.so" 2>/dev/null
    echo "PENSTOCK_CUDA_LIBRARIES=${PENSTOCK_CUDA_LIBRARIES:-}"
  } >>"$log"
  local figures
  figures=$(tr -d '\n' <"$work/info")
  figures+=", {\"commit\": $(json_text "$commit"), \"nvidia_smi\": $(json_text "$smi"),"
  figures+=" \"torch\": $(json_text "$torch"),"
  figures+=" \"glibc\": $(json_text "$(ldd --version | head -1)"), \"date\": \"$(date -u +%FT%TZ)\","
  figures+=" \"libraries\": $(json_text "${PENSTOCK_CUDA_LIBRARIES:-}")}"
  if [[ ! -s "$work/info" ]]; then
    record versions failed "$SECONDS" "penstock info says nothing"
    no_device="the program does not start"
  elif [[ -n "$reason" && -n "$smi" ]]; then
    record versions failed "$SECONDS" "nvidia-smi names $smi, but: $reason" "$figures"
    no_device=$reason
  else
    record versions passed "$SECONDS" "" "$figures"
    no_device=$reason
  fi
}

# Trains the recipe from shards and asks for 95 % on the pictures that were held back.
from_shards() {
  "$penstock" train "$data/shapes.ds" -o "$work/shapes" --config "$data/shapes.toml" --device cuda "$@" &&
    "$penstock" evaluate "$work/shapes" --json >"$work/evaluation" || return 1
  local top1
  top1=$(sed -n 's/.*"top1": *\([0-9.]*\).*/\1/p' "$work/evaluation" | head -1)
  echo "FIGURES: {\"top1\": ${top1:-null}, \"bar\": 0.95}"
  awk -v top1="${top1:-0}" 'BEGIN { exit !(top1 >= 0.95) }' ||
    { echo "error: top-1 of ${top1:-nothing}" >&2; return 1; }
}

# A run that ends half-way and goes on has the weights of one that did not end. Rates that hang on the run's length
# would be others.
resumed() {
  local line=("$penstock" train "$data/shapes.ds" --config "$data/shapes.toml" --device cuda --deterministic true
              --seed 3 --steps-per-epoch 20 --schedule constant)
  "${line[@]}" -o "$work/whole" --epochs 6 && "${line[@]}" -o "$work/parts" --epochs 3 || return 1
  "$penstock" train --resume -o "$work/parts" --epochs 6 2>"$work/resume" || { cat "$work/resume" >&2; return 1; }
  cat "$work/resume" >&2
  grep -q 'continues bit for bit' "$work/resume" ||
    { echo "error: the run that ended does not say that it continues bit for bit" >&2; return 1; }
  cmp "$work/whole/weights.safetensors" "$work/parts/weights.safetensors" ||
    { echo "error: weights of the run that went on differ" >&2; return 1; }
}
export -f from_shards resumed
export penstock data work

truth() {
  item device 10 "$programs/gpu_facts" device
  item kernels 120 "$programs/test_gpu_kernels" --color_output=no
  PENSTOCK_GPU_SECONDS=80 item plans 120 "$programs/test_gpu_plans" --color_output=no
  local step=("$programs/test_gpu_step" --color_output=no)
  item steps_of_test_models 60 "${step[@]}" --run_test=gpu_step
  item gradients_of_named_models 40 "${step[@]}" --run_test=gpu_run/gradients_of_named_models_are_those_of_the_cpu
  item steps_from_crops 20 "${step[@]}" --run_test=gpu_crops
  item captured_or_not 60 "${step[@]}" --run_test=gpu_run/captured_work_gives_the_bits_of_call_by_call
  item captured_with_trials 90 "${step[@]}" \
    --run_test=gpu_run/captured_work_of_plans_from_trials_moves_weights_as_call_by_call
  item extras 40 "${step[@]}" --run_test=gpu_run/extras_change_nothing_but_roundings
  item memory 30 "${step[@]}" --run_test=gpu_run/the_arena_takes_the_memory_that_was_planned
  item torch_20_steps 60 "$python" -B "$scripts/torch_losses.py" --cuda "$programs/model_probe" "$converter"
  item optimizers 30 "${step[@]}" --run_test=gpu_run/every_optimizer_moves_weights_as_the_reference_does
  item losses_beside_the_cpu 60 "${step[@]}" --run_test=gpu_run/losses_fall_as_on_the_cpu
  item same_bits_twice 40 "${step[@]}" --run_test=gpu_run/a_run_with_its_stored_plans_gives_the_same_bits_twice
  item memory_runs_out 30 "${step[@]}" --run_test=gpu_run/after_memory_ran_out_a_smaller_batch_goes_on
  item from_shards 150 bash -c from_shards
  item resumed 90 bash -c resumed
}

sanitize() {
  local tool
  tool=$(command -v compute-sanitizer || ls /usr/local/cuda*/bin/compute-sanitizer 2>/dev/null | head -1)
  if [[ -z "$tool" && -z "$no_device" ]]; then no_device="no compute-sanitizer"; fi
  local common=("$tool" --target-processes all --error-exitcode 99 --print-limit 20)
  local suites
  mapfile -t suites < <("$programs/test_gpu_kernels" --list_content 2>&1 | sed -n 's/^\([a-z_]*\)\*$/\1/p')
  ((${#suites[@]})) || record "suites" failed 0 "test_gpu_kernels lists none"
  for suite in "${suites[@]}"; do
    item "racecheck $suite" 100 "${common[@]}" --tool racecheck --racecheck-report analysis \
      "$programs/test_gpu_kernels" --color_output=no --run_test="$suite"
    # A piece of memory of its own for each array: memcheck sees where it ends.
    PENSTOCK_EXACT_ALLOCATIONS=1 item "memcheck $suite" 100 "${common[@]}" --tool memcheck \
      "$programs/test_gpu_kernels" --color_output=no --run_test="$suite"
  done
  item "memcheck a step" 100 "${common[@]}" --tool memcheck "$programs/test_gpu_step" --color_output=no \
    --run_test=gpu_run/every_optimizer_moves_weights_as_the_reference_does
}

bench() {
  item device 10 "$programs/gpu_facts" device
  local ours=("$penstock" bench train --device cuda --precision float16 --json --rounds 5)
  local theirs=("$python" -B "$peers/torch_gpu_step.py" --precision float16)
  local resnet50=(--model resnet50 --image-size 224 --batch-size 256)
  local resnet18=(--model resnet18 --image-size 224 --batch-size 512)
  local resnet9=(--model resnet9 --image-size 32 --batch-size 512 --classes 10)
  # Plans are chosen by trials first, of which some compile kernels.
  item "resnet50" 200 "${ours[@]}" "${resnet50[@]}"
  item "resnet50 torch" 60 "${theirs[@]}" "${resnet50[@]}"
  item "host to device" 30 "$programs/gpu_facts" bandwidth
  item "resnet18" 100 "${ours[@]}" "${resnet18[@]}"
  item "resnet9" 80 "${ours[@]}" "${resnet9[@]}"
  item "resnet9 from shards" 80 "$penstock" bench train "$data/shapes.ds" --device cuda --precision float16 --json \
    --rounds 3 --model resnet9 --image-size 32 --batch-size 512
  item "resnet18 torch" 60 "${theirs[@]}" "${resnet18[@]}"
  item "resnet9 torch" 40 "${theirs[@]}" "${resnet9[@]}"
  item "resnet50 torch compiled" 150 "${theirs[@]}" "${resnet50[@]}" --compiled
  item "resnet18 torch compiled" 120 "${theirs[@]}" "${resnet18[@]}" --compiled
  item "resnet9 torch compiled" 100 "${theirs[@]}" "${resnet9[@]}" --compiled
}

versions
"$mode"
printf '{"item": "end", "mode": "%s", "seconds": %d, "passed": %d, "failed": %d, "skipped": %d, "not_reached": %d}\n' \
  "$mode" "$SECONDS" "$num_passed" "$num_failed" "$num_skipped" "$num_left" >>"$lines"
echo "$num_passed passed, $num_failed failed, $num_skipped skipped, $num_left not reached, $SECONDS s: $lines"
[[ -z "$no_device" ]] || echo "skipped: $no_device"
((num_failed == 0))
