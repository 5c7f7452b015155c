"""The statistics of a manifest against numpy: mean and deviation of the training split's pixels."""

import json
import os
import subprocess
import sys
import tempfile

from probe import Report, needs

(numpy,) = needs("numpy")

CLASSES, PICTURES = 3, 200


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stderr}")
    return done.stdout


def statistics_of(penstock, source, dataset):
    run(penstock, "convert", source, dataset, "--quiet", "--validation-split", "0")
    inspected = json.loads(run(penstock, "inspect", dataset, "--json"))
    written = json.load(open(os.path.join(dataset, "dataset.json")))
    for key in ("mean", "std", "size_histogram", "aspect_histogram"):
        if inspected[key] != written[key]:
            sys.exit(f"{key}: inspect and dataset.json differ")
    return inspected


def compare(report, what, found, pixels):
    """`pixels` is uint8 [n, 3]."""
    values = pixels.astype(numpy.float64) / 255
    gray = numpy.rint(values @ (0.299, 0.587, 0.114) * 255) / 255
    for key, expected in (("mean", values.mean(axis=0)), ("std", values.std(axis=0))):
        difference = numpy.abs(numpy.array(found[key]) - expected).max()
        report.at_most(f"{what}: {key}: largest difference", difference, 1e-6)
    # A gray value is rounded by the decoder, half a step at most, here one way and there the other.
    report.at_most(f"{what}: gray mean", abs(found["gray_mean"] - gray.mean()), 1e-4)
    report.at_most(f"{what}: gray std", abs(found["gray_std"] - gray.std()), 1e-4)


def bare_pixels(report, penstock, folder):
    """CIFAR-10's binary form: nothing is decoded."""
    batches = os.path.join(folder, "cifar-10-batches-bin")
    os.mkdir(batches)
    random = numpy.random.default_rng(5)
    rows = random.integers(0, 256, size=(PICTURES, 1 + 3 * 32 * 32), dtype=numpy.uint8)
    rows[:, 1 + 1024:1 + 2048] //= 3  # channels that differ
    rows[:, 0] = numpy.arange(PICTURES) % CLASSES
    rows.tofile(os.path.join(batches, "data_batch_1.bin"))
    with open(os.path.join(batches, "batches.meta.txt"), "w") as file:
        file.write("".join(f"class{i}\n" for i in range(10)))
    found = statistics_of(penstock, batches, os.path.join(folder, "c.ds"))
    compare(report, "bare pixels", found, rows[:, 1:].reshape(-1, 3, 1024).transpose(0, 2, 1)
            .reshape(-1, 3))
    report.at_most("bare pixels: source bytes", abs(found["sample_bytes"]["stored_bytes"]
                                                    - PICTURES * 3072), 0)


def photographs(report, penstock, maker, folder):
    """JPEG, decoded by Pillow: its libjpeg-turbo gives the same pixels as ours."""
    try:
        from PIL import Image
    except ImportError:
        print("(without Pillow: no JPEG compared)")
        return
    photos = os.path.join(folder, "photos")
    run(maker, "shapes", photos, "--train", "60", "--validation", "0", "--test", "0")
    found = statistics_of(penstock, photos, os.path.join(folder, "p.ds"))
    pixels, sides, num_bytes = [], {}, 0
    for path, _, names in os.walk(photos):
        for name in names:
            num_bytes += os.path.getsize(os.path.join(path, name))
            with Image.open(os.path.join(path, name)) as picture:
                pixels.append(numpy.asarray(picture.convert("RGB")).reshape(-1, 3))
                bin_px = 1 << (max(picture.size).bit_length() - 1)
                sides[bin_px] = sides.get(bin_px, 0) + 1
    compare(report, "photographs", found, numpy.concatenate(pixels))
    bins = {one["long_side_px"]: one["num_samples"] for one in found["size_histogram"]}
    report.at_most("photographs: bins that differ", bins != sides, 0)
    report.at_most("photographs: source bytes", abs(found["sample_bytes"]["source_bytes"]
                                                    - num_bytes), 0)


def main():
    penstock, maker = sys.argv[1:3]
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        bare_pixels(report, penstock, folder)
        photographs(report, penstock, maker, folder)
    report.end()


main()
