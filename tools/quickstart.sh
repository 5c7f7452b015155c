#!/usr/bin/env bash
# From a folder of photographs to a trained model, in one command.
#
#   tools/quickstart.sh [FOLDER] [--into DATASET] [--no-install] [--dry-run]
#
# FOLDER holds one folder per class, or train/validation/test folders of them. Without FOLDER a
# dataset of drawn shapes is made. DATASET defaults to FOLDER.penstock; DATASET.source notes where
# it came from and how many files that held.
#   --no-install  install no packages
#   --dry-run     print the plan and stop
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
penstock=$root/build/release/penstock

usage() {
  echo "usage: tools/quickstart.sh [FOLDER] [--into DATASET] [--no-install] [--dry-run]" >&2
  exit 2
}

# refuse MESSAGE HINT
refuse() {
  printf 'quickstart: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

folder="" dataset="" install=yes dry_run=no
while (($# > 0)); do
  case "$1" in
    --into) [[ $# -ge 2 && -n "$2" ]] || usage; dataset=$2; shift 2 ;;
    --no-install) install=no; shift ;;
    --dry-run) dry_run=yes; shift ;;
    -h|--help) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) echo "quickstart: unknown option $1" >&2; usage ;;
    *) [[ -z "$folder" && -n "$1" ]] || usage; folder=$1; shift ;;
  esac
done

say() { printf '\n== %s\n' "$*"; }
quoted() { printf '%q' "$1"; }
files() { if [[ "$1" == 1 ]]; then echo "1 file"; else echo "$1 files"; fi; }

# Continues a hint, once there is a program to type.
or_train() {
  if [[ -x "$penstock" ]]; then
    printf '; or: %s train %s -o RUN' "$(quoted "$penstock")" "$(quoted "$1")"
  fi
}

# Sub-folders that may not be read are passed over, as convert does. Nothing here closes a pipe
# before its writer is done: under pipefail that would end the script.
count_files() { { find "$1" -type f -printf . 2>/dev/null || true; } | wc -c; }
size_kib() { { du -sk "$1" 2>/dev/null || true; } | cut -f1; }
any_picture() {
  find "$1" -type f \( -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' \) -print -quit \
    2>/dev/null || true
}

# What is about to happen.
num_cores=$(nproc)
own_shapes=$root/build/quickstart/shapes
if [[ -n "$folder" ]]; then
  if [[ ! -d "$folder" ]]; then
    refuse "$(quoted "$folder"): expected a folder of photographs, found none" \
           "ls -d $(quoted "$(dirname "$folder")")/*/"
  fi
  folder=$(realpath "$folder")
  [[ "$folder" != / ]] || refuse "/: expected a folder of photographs, found the whole disk" \
                                 "name the folder that holds the class folders"
  if [[ -e "$folder/dataset.json" ]]; then
    refuse "$(quoted "$folder"): expected a folder of photographs, found a dataset" \
           "name the folder that it was made from$(or_train "$folder")"
  fi
  recipe=$root/tools/recipes/clothing_small.toml
  dataset=${dataset:-$folder.penstock}
  num_files=$(count_files "$folder")
  source_kib=$(size_kib "$folder")
  # An assumption: 80 images a second and core at 96 x 96 px, and the recipe's 30 passes; the build
  # and the conversion take the rest.
  minutes=$(((num_files * 30 / (80 * num_cores) + 59) / 60 + 4))
  disk_mib=$(((${source_kib:-0} + 1023) / 1024 + 250))
else
  recipe=$root/tools/recipes/shapes.toml
  folder=$own_shapes
  dataset=${dataset:-$own_shapes.penstock}
  minutes=6
  disk_mib=300
fi
dataset=$(realpath -m "$dataset")
run=${dataset%.penstock}.run
for ((n = 2; ; n++)); do
  [[ -e "$run" ]] || break
  run=${dataset%.penstock}.run-$n
done
picture=$(any_picture "$folder")

# Dataset and model lie side by side. The folder of the shapes is made with them.
parent=$(dirname "$dataset")
if [[ "$parent" != "$root/build/quickstart" ]]; then
  [[ -d "$parent" ]] || refuse "$(quoted "$parent"): expected a folder for the dataset, found none" \
                               "mkdir -p $(quoted "$parent")"
  [[ -w "$parent" ]] || refuse "$(quoted "$parent"): expected a folder for the dataset, found one that may not be written to" \
                               "--into DATASET, in a folder of yours"
fi

# A dataset that is there is used again only when it is known to be of this folder.
if [[ -e "$dataset" ]]; then
  source_note="" converted_files=""
  if [[ -f "$dataset.source" ]]; then
    { IFS= read -r source_note && IFS= read -r converted_files; } <"$dataset.source" || true
  fi
  if [[ "$source_note" != "$folder" ]]; then
    refuse "$(quoted "$dataset"): expected nothing or a dataset of $(quoted "$folder"), found one of ${source_note:-an unknown folder}" \
           "--into another DATASET$(or_train "$dataset")"
  fi
fi

say "Plan"
echo "photographs  $(quoted "$folder")"
echo "dataset      $(quoted "$dataset")"
echo "model        $(quoted "$run")"
if [[ -e "$dataset" && -n "$converted_files" && -d "$folder" ]]; then
  found_files=$(count_files "$folder")
  if [[ "$found_files" != "$converted_files" ]]; then
    echo "             made of $(files "$converted_files"); the folder holds $found_files now. To make it anew, remove it"
    echo "             and run the same line again:"
    echo "             rm -r $(quoted "$dataset")"
  fi
fi
if [[ -n "$picture" ]]; then echo "picture      $(quoted "$picture")"; fi
echo "disk         about $disk_mib MiB, build included, packages not"
echo "time         about $minutes minutes on $num_cores cores, build included, packages not"
if [[ "$dry_run" == yes ]]; then exit 0; fi

if [[ "$install" == yes ]]; then
  say "Packages"
  "$root/tools/install_packages.sh"
fi

say "Build"
start=$SECONDS
(cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release --parallel "$num_cores")
build_s=$((SECONDS - start))
echo "built in $build_s s: $(quoted "$penstock")"

if [[ "$folder" == "$own_shapes" && ! -d "$folder" ]]; then
  say "Shapes"
  rm -rf "$folder.partial"  # an interrupted quickstart left it
  "$root/build/release/penstock-fixtures" shapes "$folder"
fi

say "Convert"
if [[ -e "$dataset" ]]; then
  echo "$(quoted "$dataset") is there already and is used as it is"
else
  # Noted first, so that the dataset is never there without. Where nobody converts, a note is of a
  # dataset that is gone. Another quickstart's is replaced by success only, and never removed.
  [[ -e "$dataset.partial" ]] || rm -f "$dataset.source"
  note=$folder$'\n'$(count_files "$folder")
  is_first=no
  if (set -o noclobber; printf '%s\n' "$note" >"$dataset.source") 2>/dev/null; then is_first=yes; fi
  "$penstock" convert "$folder" "$dataset" || {
    status=$?
    if [[ "$is_first" == yes && ! -e "$dataset" ]]; then rm -f "$dataset.source"; fi
    exit "$status"
  }
  printf '%s\n' "$note" >"$dataset.source"
fi

# Of the pictures that are held back, evaluate takes those for testing, else those for validation. A
# few pictures, or a folder train alone, may leave neither.
contents=$("$penstock" inspect "$dataset" --json)
has_pictures() {
  [[ "$contents" =~ \"$1\":[[:space:]]*\{[[:space:]]*\"num_samples\":[[:space:]]*[1-9] ]]
}
split=()
if ! has_pictures test && ! has_pictures validation; then
  split=(--split train)
  echo "no picture is held back: the model will be evaluated on those that it learns from"
fi

say "Train"
start=$SECONDS
"$penstock" train "$dataset" -o "$run" --config "$recipe"
train_s=$((SECONDS - start))

say "Evaluate"
evaluation=$("$penstock" evaluate "$run" "${split[@]}")
printf '%s\n' "$evaluation"

say "Done"
echo "build $build_s s, training $train_s s, $SECONDS s in all"
grep '^loss ' <<<"$evaluation" || true  # the totals once more, from above the table of classes
picture=$(any_picture "$folder")
echo "What to try next:"
echo "  $(quoted "$penstock") inspect $(quoted "$dataset")"
echo "  $(quoted "$penstock") predict $(quoted "$run") $(quoted "$picture")"
echo "  $(quoted "$penstock") export $(quoted "$run") --onnx $(quoted "$run.onnx")"
echo "  $(quoted "$penstock") train $(quoted "$dataset") -o $(quoted "$run-longer") --config $(quoted "$recipe") --epochs 60"
