"""A checkpoint as Python sees it: tensors by safetensors, checksums by xxhash, and files that Python writes.

The arguments are the programs store_checkpoint and tensor_probe. What the tensors hold is computed here once
more, from the formula of tests/train/store/small_checkpoint.cpp."""

import json
import os
import subprocess
import sys
import tempfile

from probe import Report, needs

numpy, safetensors, xxhash = needs("numpy", "safetensors.numpy", "xxhash")

STEP = 1234
SHAPES = {"conv.weight": (2, 1, 3, 1), "dense.bias": (3,), "bn.running_var": (1,)}
STATES = {name + ".momentum": SHAPES[name] for name in ("conv.weight", "dense.bias")}
GROUPS = [("model.safetensors", SHAPES), ("optimizer.safetensors", STATES), ("ema.safetensors", SHAPES)]
SPECIAL = [0x7FC01234, 0x80000000, 0x7F800000, 0x00000001]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stdout} {done.stderr}")
    return done.stdout


def expected_bits(group, tensor, count):
    bits = [((STEP * 31 + group * 7 + tensor * 3 + i) * 0x9E3779B1) % 2**32 for i in range(count)]
    return [SPECIAL[tensor % 4]] + bits[1:]


def bits_of(array):
    return numpy.ascontiguousarray(array).reshape(-1).view(numpy.uint32).tolist()


def differences_in_tensors(folder):
    num = 0
    for group, (file, shapes) in enumerate(GROUPS):
        found = safetensors.load_file(os.path.join(folder, file))
        num += sorted(found) != sorted(shapes)
        for tensor, (name, shape) in enumerate(shapes.items()):
            array = found.get(name, numpy.zeros(0, numpy.float32))
            num += array.shape != shape or array.dtype != numpy.float32
            num += bits_of(array) != expected_bits(group, tensor, int(numpy.prod(shape)))
    return num


def differences_in_state(folder):
    text = open(os.path.join(folder, "state.json"), "rb").read()
    state = json.loads(text)
    num = state["xxh3"] != xxhash.xxh3_128_hexdigest(text[:-49])  # CHECKPOINT.md, state.json
    num += state["step"] != STEP
    num += sorted(state["files"]) != sorted(file for file, _ in GROUPS)
    for file, seal in state["files"].items():
        stored = open(os.path.join(folder, file), "rb").read()
        num += seal != {"size_bytes": len(stored), "xxh3": xxhash.xxh3_128_hexdigest(stored)}
    return num


def differences_in_ours(probe, path):
    random = numpy.random.default_rng(7)
    arrays = {name: random.standard_normal(shape).astype(numpy.float32)
              for name, shape in {"a.weight": (4, 3, 2, 2), "scalar": (), "empty": (0, 5), "ä": (7,)}.items()}
    safetensors.save_file(arrays, path, metadata={"format": "np"})
    found = {}
    for line in run(probe, path).splitlines():
        tensor = json.loads(line)
        found[tensor["name"]] = (tuple(tensor["shape"]), tensor["bits"])
    return found != {name: (array.shape, bits_of(array)) for name, array in arrays.items()}


def main():
    store, probe = sys.argv[1:3]
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        run(store, os.path.join(folder, "checkpoints"), str(STEP))
        checkpoint = os.path.join(folder, "checkpoints", f"000001-step-{STEP:09}")
        report.at_most("tensors that Python sees otherwise", differences_in_tensors(checkpoint), 0)
        report.at_most("checksums and fields that differ", differences_in_state(checkpoint), 0)
        report.at_most("files of Python that are read otherwise",
                       differences_in_ours(probe, os.path.join(folder, "python.safetensors")), 0)
    report.end()


main()
