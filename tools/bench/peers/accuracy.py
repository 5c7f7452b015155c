"""Trains a recipe with Penstock and with PyTorch, several seeds each, and compares the accuracies.

    python3 tools/bench/peers/accuracy.py PICTURES DATASET tools/recipes/shapes.toml --seeds 5

PICTURES is a folder with train, validation and test, each with one folder per class; DATASET is what
`penstock convert PICTURES DATASET` made of it. Both sides have the recipe's network, optimizer, schedule,
smoothing and batch; PyTorch augments with torchvision's transforms, as a user of it would. A seed's
accuracy is that on validation and test pooled. --json FILE keeps what each run came to, and a second call
goes on where the first was stopped. Needs torch and torchvision. Exit codes: 0 every gap is under 2 standard
errors of it, 1 one is not, or an error.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

SPLITS = ("validation", "test")


def fail(message):
    sys.exit(f"accuracy: {message}")


def checked_recipe(path):
    """Reads a recipe, and refuses what the PyTorch side here does not do."""
    recipe = tomllib.loads(path.read_text())
    wanted = {"model": "small_cnn", "optimizer": "sgd", "schedule": "one_cycle"}
    for key, value in wanted.items():
        if recipe.get(key) != value:
            fail(f"{path}: {key}: expected {value}, found {recipe.get(key)}")
    known = {"horizontal_flip", "width_shift_range", "height_shift_range", "zoom_range"}
    idle = {"none", "nearest", "bilinear", "auto", 0, False}
    idle_names = {"rand_augment_ops", "rand_augment_magnitude"}
    for key, value in recipe["augment"].items():
        if key not in known | idle_names and value not in idle:
            fail(f"{path}: augment.{key}: expected it off, found {value}")
    return recipe


# Penstock.


def penstock(program, arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"{' '.join([program, *arguments])}: {done.stderr.strip()}")
    return done.stdout


def penstock_result(options, precision, seed, folder):
    run = f"{folder}/{precision}-{seed}"
    penstock(options.penstock, ["train", options.dataset, "-o", run, "--config", str(options.recipe),
                                "--seed", str(seed), "--precision", precision, "--quiet"])
    correct = counted = 0
    for split in SPLITS:
        report = json.loads(penstock(options.penstock,
                                     ["evaluate", run, "--split", split, "--quiet", "--json"]))
        correct += report["num_correct"]
        counted += report["num_counted"]
    return correct, counted


# PyTorch.


def load_split(folder, side, torch, v2, image):
    """Pixels [n, 3, side, side] as bytes, and class indices by the sorted names of the folders."""
    resize = v2.Resize((side, side), antialias=True)
    to_tensor = v2.PILToTensor()
    pixels, labels = [], []
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    for label, name in enumerate(classes):
        for path in sorted((folder / name).iterdir()):
            with image.open(path) as picture:
                pixels.append(resize(to_tensor(picture.convert("RGB"))))
            labels.append(label)
    return torch.stack(pixels), torch.tensor(labels), classes


def small_cnn(num_classes, torch):
    """The layers of Penstock's small_cnn: `penstock model small_cnn` prints them."""
    nn = torch.nn
    layers, channels = [], 3
    for filters in (32, 64, 128, 256):
        layers += [nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU(),
                   nn.MaxPool2d(2)]
        channels = filters
    head = nn.Linear(channels, num_classes)
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), head)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
    nn.init.kaiming_normal_(head.weight, mode="fan_in", nonlinearity="linear")  # variance 1 / fan in
    nn.init.zeros_(head.bias)
    return network


def augmentation(recipe, v2):
    augment, side = recipe["augment"], recipe["image_size"]
    zoom, margin = augment["zoom_range"], math.ceil(0.3 * side)
    return v2.Compose([
        v2.RandomHorizontalFlip(augment["horizontal_flip"]),
        v2.Pad(margin, padding_mode="edge"),  # affine maps fill with one colour only
        v2.RandomAffine(0, translate=(augment["width_shift_range"] * side / (side + 2 * margin),
                                      augment["height_shift_range"] * side / (side + 2 * margin)),
                        scale=(1 - zoom, 1 + zoom), interpolation=v2.InterpolationMode.BILINEAR),
        v2.CenterCrop(side),
    ])


def torch_result(recipe, data, seed, torch, v2):
    torch.manual_seed(seed)
    (pixels, labels, classes), held_out = data["train"], [data[split] for split in SPLITS]
    mean = (pixels.double().mean((0, 2, 3)) / 255).float().view(3, 1, 1)
    std = (pixels.double().std((0, 2, 3)) / 255).float().view(3, 1, 1)
    normalised = lambda batch: (batch.float() / 255 - mean) / std
    network = small_cnn(len(classes), torch).to(memory_format=torch.channels_last)
    decaying = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD([{"params": decaying, "weight_decay": recipe["weight_decay"]},
                                 {"params": others, "weight_decay": 0.0}], lr=recipe["learning_rate"],
                                momentum=recipe["momentum"], nesterov=recipe["nesterov"])
    batch_size, epochs = recipe["batch_size"], recipe["epochs"]
    steps_per_epoch = math.ceil(len(labels) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe["learning_rate"], total_steps=epochs * steps_per_epoch,
        pct_start=recipe["warmup_fraction"], div_factor=recipe["div_factor"],
        final_div_factor=recipe["final_div_factor"], cycle_momentum=False)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=recipe["label_smoothing"])
    augment = augmentation(recipe, v2)
    for _ in range(epochs):
        network.train()
        order = torch.randperm(len(labels))
        for first in range(0, len(order), batch_size):
            chosen = order[first:first + batch_size]
            batch = normalised(torch.stack([augment(pixels[i]) for i in chosen]))
            optimizer.zero_grad()
            loss_of(network(batch.contiguous(memory_format=torch.channels_last)), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
    network.eval()
    correct = 0
    with torch.no_grad():
        for held_pixels, held_labels, _ in held_out:
            for first in range(0, len(held_labels), 256):
                scores = network(normalised(held_pixels[first:first + 256]))
                correct += int((scores.argmax(1) == held_labels[first:first + 256]).sum())
    return correct, sum(len(held[1]) for held in held_out)


# The comparison.


def kept_results(options):
    """What an earlier call with the same recipe left in --json, by side: [correct, counted] for each seed."""
    if options.json is None or not options.json.exists():
        return {}
    kept = json.loads(options.json.read_text())
    if kept["recipe"] != options.recipe.read_text():
        fail(f"{options.json}: expected results of {options.recipe} as it is now; it has changed")
    return kept["results"]


def keep(options, results, **more):
    if options.json is None:
        return
    whole = json.dumps({"results": results, **more, "recipe": options.recipe.read_text()}, indent=2) + "\n"
    partial = options.json.with_suffix(".partial")
    partial.write_text(whole)
    partial.replace(options.json)


def summary(name, results):
    accuracies = [correct / counted for correct, counted in results]
    error = statistics.stdev(accuracies) / math.sqrt(len(accuracies))
    return {"side": name, "accuracies": accuracies, "mean": statistics.mean(accuracies),
            "standard_error": error}


def compare(first, second):
    """How far two means are apart, in standard errors of their difference."""
    error = math.hypot(first["standard_error"], second["standard_error"])
    gap = first["mean"] - second["mean"]
    return {"sides": [first["side"], second["side"]], "gap": gap, "standard_error": error,
            "gap_in_standard_errors": abs(gap) / error if error > 0 else None,
            "is_small": abs(gap) < 2 * error or gap == 0}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=pathlib.Path)
    parser.add_argument("dataset")
    parser.add_argument("recipe", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch; 0: its own choice")
    parser.add_argument("--penstock", default="penstock", help="the program")
    parser.add_argument("--precisions", nargs="*", default=["float32", "bfloat16"])
    parser.add_argument("--json", type=pathlib.Path, help="file for the results, and to go on from")
    options = parser.parse_args()
    try:
        import torch
        from PIL import Image
        from torchvision.transforms import v2
    except ImportError as missing:
        fail(f"expected torch and torchvision, found {missing}")
    if options.seeds < 2:
        fail(f"--seeds: expected at least 2, found {options.seeds}")
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    recipe = checked_recipe(options.recipe)
    data = {split: load_split(options.pictures / split, recipe["image_size"], torch, v2, Image)
            for split in ("train", *SPLITS)}
    kept = kept_results(options)
    results = {name: kept.get(name, []) for name in (*options.precisions, "pytorch")}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, options.seeds + 1):  # alternated: what slows the machine slows all
            for name, found in results.items():
                if len(found) >= seed:
                    continue
                start = time.monotonic()
                if name == "pytorch":
                    result = torch_result(recipe, data, seed, torch, v2)
                else:
                    result = penstock_result(options, name, seed, folder)
                found.append(result)
                keep(options, results)
                print(f"seed {seed} {name}: {result[0]} of {result[1]}, {time.monotonic() - start:.0f} s",
                      flush=True)
    sides = [summary(name, found) for name, found in results.items()]
    pairs = [compare(sides[i], sides[j]) for i in range(len(sides)) for j in range(i + 1, len(sides))]
    for side in sides:
        print(f"{side['side']}: {100 * side['mean']:.2f} %, standard error "
              f"{100 * side['standard_error']:.2f} %")
    for pair in pairs:
        verdict = "under" if pair["is_small"] else "NOT under"
        print(f"{pair['sides'][0]} - {pair['sides'][1]}: {100 * pair['gap']:+.2f} %, standard error "
              f"{100 * pair['standard_error']:.2f} %: {verdict} 2 standard errors")
    keep(options, results, torch=torch.__version__, sides=sides, gaps=pairs)
    sys.exit(0 if all(pair["is_small"] for pair in pairs) else 1)


if __name__ == "__main__":
    main()
