"""Arrays that numpy and h5py write, converted: pixels, labels and statistics against numpy's own.

The first argument is the program penstock. Shards are read with h5py, by the format's document alone."""

import itertools
import json
import os
import subprocess
import sys
import tempfile

from probe import Report, needs

numpy, h5py = needs("numpy", "h5py")

RECORD_RAW = 1  # FORMAT.md, section 4


def converted(program, folder, arguments):
    """Pixels [height, width, channels] and class names by the samples' names; the manifest's statistics."""
    dataset = os.path.join(folder, "converted.ds")
    done = subprocess.run([program, "convert", *arguments, dataset, "--force", "--quiet"],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        sys.exit(f"convert {arguments}: {done.stderr}")
    with open(os.path.join(dataset, "dataset.json")) as file:
        manifest = json.load(file)
    samples = {}
    for split in manifest["splits"]:
        for shard in split["shards"]:
            with h5py.File(os.path.join(dataset, shard["file"]), "r") as file:
                images, index = file["images"], file["index"]
                names, ends = file["names"][:], file["name_offsets"][:]
                for i, record in enumerate(index):
                    assert record["codec"] == RECORD_RAW
                    begin = int(record["offset_bytes"]) - images.id.get_offset()
                    pixels = images[begin:begin + int(record["length_bytes"])]
                    shape = [int(record[key]) for key in ("height_px", "width_px", "components")]
                    name = names[ends[i]:ends[i + 1] - 1].tobytes().decode()
                    label = manifest["class_names"][record["class_idx"]]
                    samples[name] = (split["name"], label, pixels.reshape(shape))
    return samples, manifest


def interleaved(images, channels_first=False):
    """[n, height, width, channels] of what a user gives."""
    if images.ndim == 3:
        return images[..., None]
    return images.transpose(0, 2, 3, 1) if channels_first else images


def main():
    program = sys.argv[1]
    report = Report()
    random = numpy.random.default_rng(11)

    def demand(what, holds):
        report.at_most(what, 0 if holds else 1, 0)

    def compare(what, found, name, images, labels, channels_first=False):
        expected = interleaved(images, channels_first)
        equal = all(
            numpy.array_equal(found[0][f"{name}/{i:05}"][2], expected[i]) and
            found[0][f"{name}/{i:05}"][1] == str(labels[i]) for i in range(len(expected)))
        demand(f"{what}: {len(expected)} pictures and labels", equal)

    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)

        gray = random.integers(0, 256, (40, 11, 13), dtype=numpy.uint8)
        colour = random.integers(0, 256, (40, 11, 13, 3), dtype=numpy.uint8)
        labels = random.integers(0, 6, 40)
        labels[0] = 5  # all classes "0" to "5" are named

        # Versions of the header, and both orders of the axes.
        for version, (what, images, first) in itertools.product(
                [(1, 0), (2, 0), (3, 0)],
                [("gray", gray, False), ("colour", colour, False),
                 ("channels first", colour.transpose(0, 3, 1, 2), True)]):
            with open(path("x.npy"), "wb") as file:
                numpy.lib.format.write_array(file, numpy.ascontiguousarray(images), version=version)
            numpy.save(path("y.npy"), labels)
            found = converted(program, folder, ["--images", path("x.npy"), "--labels", path("y.npy")])
            compare(f"npy {version}, {what}", found, "x", images, labels, first)

        # Types of the labels.
        numpy.save(path("x.npy"), gray)
        one_hot = numpy.eye(6)[labels]
        texts = numpy.array([f"class {k} \u65e5" for k in labels])
        kinds = [labels.astype(t) for t in ("u1", "i1", "<i2", ">i2", "<u4", ">u4", "<i8", ">i8", ">u8")]
        kinds += [labels.reshape(-1, 1), one_hot, one_hot.astype("<f4"), one_hot.astype(">f4"),
                  one_hot.astype("f2"), one_hot.astype("?"), one_hot.astype(">i4"), texts,
                  texts.astype(">U12"), numpy.array([b"b%d" % k for k in labels])]
        for kind in kinds:
            numpy.save(path("y.npy"), kind)
            expected = labels
            if kind.dtype.kind == "U":
                expected = kind
            if kind.dtype.kind == "S":
                expected = [k.decode() for k in kind]
            found = converted(program, folder, ["--images", path("x.npy"), "--labels", path("y.npy")])
            compare(f"labels {kind.dtype.str} {kind.shape}", found, "x", gray, expected)

        # Several arrays in a file; the statistics of the training split against numpy's.
        parts = {"x_train": colour[:30], "y_train": labels[:30],
                 "x_test": colour[30:], "y_test": labels[30:]}
        numpy.savez(path("stored.npz"), **parts)
        numpy.savez_compressed(path("deflated.npz"), **parts)
        with h5py.File(path("plain.h5"), "w") as file:
            for key, value in parts.items():
                file[key] = value
        with h5py.File(path("chunked.h5"), "w", libver=("earliest", "v110")) as file:
            for key, value in parts.items():
                file.create_dataset(key, data=value, chunks=(7, *value.shape[1:]), shuffle=True,
                                    compression="gzip", fletcher32=True)
        for name in ("stored.npz", "deflated.npz", "plain.h5", "chunked.h5"):
            found = converted(program, folder, [path(name)])
            compare(f"{name}, train", found, "x_train", parts["x_train"], parts["y_train"])
            compare(f"{name}, test", found, "x_test", parts["x_test"], parts["y_test"])
            demand(f"{name}: splits are those of the names",
                   all(one[0] == name.split("/")[0][2:] for name, one in found[0].items()))
            pixels = parts["x_train"].astype(numpy.float64) / 255
            report.differs_by_at_most(f"{name}: mean", numpy.array(found[1]["mean"]),
                                      pixels.mean(axis=(0, 1, 2)), 1e-6)
            report.differs_by_at_most(f"{name}: standard deviation", numpy.array(found[1]["std"]),
                                      pixels.std(axis=(0, 1, 2)), 1e-6)

        # A dataset of the dataset has the same pictures.
        first = converted(program, folder, [path("stored.npz")])
        os.rename(path("converted.ds"), path("first.ds"))
        second = converted(program, folder, [path("first.ds")])
        demand("a dataset again: the same pictures", all(
            first[0][name][:2] == second[0][name][:2] and
            numpy.array_equal(first[0][name][2], second[0][name][2]) for name in first[0]))
        demand("a dataset again: the same statistics",
               all(first[1][key] == second[1][key] for key in ("mean", "std", "gray_mean", "gray_std")))
    report.end()


main()
