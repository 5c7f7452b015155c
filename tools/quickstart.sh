#!/usr/bin/env bash
# From a folder of photographs to a trained model, in one command.
#
#   tools/quickstart.sh [FOLDER] [--into DATASET] [--no-install]
#
# FOLDER holds one folder per class, or train/validation/test folders of them. Without FOLDER a
# dataset of drawn shapes is made. DATASET defaults to FOLDER.penstock.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  echo "usage: tools/quickstart.sh [FOLDER] [--into DATASET] [--no-install]" >&2
  exit 2
}

folder="" dataset="" install=yes
while (($# > 0)); do
  case "$1" in
    --into) [[ $# -ge 2 ]] || usage; dataset=$2; shift 2 ;;
    --no-install) install=no; shift ;;
    -h|--help) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) echo "quickstart: unknown option $1" >&2; usage ;;
    *) [[ -z "$folder" ]] || usage; folder=${1%/}; shift ;;
  esac
done
if [[ -n "$folder" && ! -d "$folder" ]]; then
  echo "quickstart: $folder: expected a folder of photographs, found none" >&2
  echo "hint: ls -d $(dirname "$folder")/*/" >&2
  exit 1
fi

say() { printf '\n== %s\n' "$*"; }
kib_to_mib() { echo $((($1 + 1023) / 1024)); }

# What is about to happen.
num_cores=$(nproc)
if [[ -n "$folder" ]]; then
  recipe=$root/tools/recipes/clothing_small.toml
  num_files=$(find "$folder" -type f | wc -l)
  source_kib=$(du -sk "$folder" | cut -f1)
  dataset=${dataset:-$folder.penstock}
  # 150 images a second were seen on 2 cores at 96 x 96; the recipe makes 30 passes.
  minutes=$(((num_files * 30 / (75 * num_cores) + 59) / 60 + 4))
  disk_mib=$(($(kib_to_mib "$source_kib") + 400))
else
  recipe=$root/tools/recipes/shapes.toml
  folder=$root/build/quickstart/shapes
  dataset=${dataset:-$root/build/quickstart/shapes.penstock}
  minutes=6
  disk_mib=500
fi
run=${dataset%.penstock}.run
for ((n = 2; ; n++)); do
  [[ -e "$run" ]] || break
  run=${dataset%.penstock}.run-$n
done

say "Plan"
echo "photographs  $folder"
echo "dataset      $dataset"
echo "model        $run"
echo "disk         about $disk_mib MiB, build included"
echo "time         about $minutes minutes on $num_cores cores, build included, packages not"

if [[ "$install" == yes ]]; then
  say "Packages"
  "$root/tools/install_packages.sh"
fi

say "Build"
start=$SECONDS
(cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release --parallel "$num_cores")
penstock=$root/build/release/penstock
build_s=$((SECONDS - start))
echo "built in $build_s s: $penstock"

if [[ "$folder" == "$root/build/quickstart/shapes" && ! -d "$folder" ]]; then
  say "Shapes"
  "$root/build/release/penstock-fixtures" shapes "$folder"
fi

say "Convert"
if [[ -e "$dataset" ]]; then
  echo "$dataset is there already and is used as it is"
else
  "$penstock" convert "$folder" "$dataset"
fi

say "Train"
start=$SECONDS
"$penstock" train "$dataset" -o "$run" --config "$recipe"
train_s=$((SECONDS - start))

say "Evaluate"
"$penstock" evaluate "$run"

say "Done"
echo "build $build_s s, training $train_s s, $SECONDS s in all"
picture=$(find "$folder" -type f -iname '*.jp*g' | sort | head -n 1)
echo "What to try next:"
echo "  $penstock inspect $dataset"
echo "  $penstock predict $run $picture"
echo "  $penstock train $dataset -o ${run}-longer --config $recipe --epochs 60"
