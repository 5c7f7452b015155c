"""A shard as h5py sees it: images, labels and class names, against the files that were converted."""

import json
import os
import subprocess
import sys
import tempfile

from probe import Report, needs

(h5py, numpy) = needs("h5py", "numpy")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stderr}")
    return done.stdout


def main():
    penstock, maker = sys.argv[1:3]
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        photos, dataset = os.path.join(folder, "photos"), os.path.join(folder, "d.ds")
        run(maker, "shapes", photos, "--train", "40", "--validation", "10", "--test", "10")
        run(penstock, "convert", photos, dataset, "--quiet")
        manifest = json.load(open(os.path.join(dataset, "dataset.json")))
        num_different = num_seen = 0
        for split in manifest["splits"]:
            for entry in split["shards"]:
                path = os.path.join(dataset, entry["file"])
                with h5py.File(path, "r") as shard:
                    classes = [name.decode() for name in shard["class_names"][:]]
                    num_different += classes != manifest["class_names"]
                    num_different += shard.attrs["num_samples"] != entry["num_samples"]
                    num_different += shard.attrs["uuid"].decode() != entry["uuid"]
                    images, base = shard["images"], shard["images"].id.get_offset()
                    offsets, names = shard["name_offsets"][:], shard["names"][:].tobytes()
                    for i, record in enumerate(shard["index"][:]):
                        name = names[offsets[i]:offsets[i + 1] - 1].decode()
                        begin = int(record["offset_bytes"]) - base
                        stored = images[begin:begin + int(record["length_bytes"])].tobytes()
                        source = open(os.path.join(photos, name), "rb").read()
                        num_different += stored != source
                        num_different += name.split("/")[1] != classes[record["class_idx"]]
                        num_seen += 1
        report.at_most("samples that h5py does not see", abs(60 - num_seen), 0)
        report.at_most("images, labels, classes that differ", num_different, 0)

        # What h5py appends leaves the header out of date: refused, and mended.
        path = os.path.join(dataset, manifest["splits"][0]["shards"][0]["file"])
        before = open(path, "rb").read()
        with h5py.File(path, "a") as shard:
            shard["remark"] = numpy.arange(1000)
        refused = subprocess.run([penstock, "verify", dataset, "--quiet"], capture_output=True)
        report.at_most("exit code of verify, less 3", abs(refused.returncode - 3), 0)
        run(penstock, "repair", dataset, "--remove-damaged", "--quiet")
        report.at_most("shards that repair leaves different", open(path, "rb").read() != before, 0)
    report.end()


main()
