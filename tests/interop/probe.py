"""Runs augment_probe and mix_probe, and says SKIPPED when what a comparison needs is not installed."""

import importlib
import json
import os
import subprocess
import sys
import tempfile

SKIPPED = 77  # CMake's SKIP_RETURN_CODE


def needs(*names):
    """Imports modules; ends the script as skipped when one of them is missing."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    modules = []
    for name in names:
        try:
            modules.append(importlib.import_module(name))
        except ImportError as error:
            print(f"SKIPPED: no module {name}: {error}")
            sys.exit(SKIPPED)
    return modules


class _Program:
    """A probe, whose path is the script's first argument, in a folder of its own."""

    def __init__(self):
        (self._numpy,) = needs("numpy")
        self._program = sys.argv[1]
        self._folder = tempfile.TemporaryDirectory()

    def _path(self, name):
        return os.path.join(self._folder.name, name)

    def _run(self, settings, *arguments):
        # Values in units of the stored pixels; mean 0 and std 1 are what a run file without them has.
        lines = ["[augment]", 'preset = "none"', "rescale = 1"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        with open(self._path("run.toml"), "w") as file:
            file.write("\n".join(lines) + "\n")
        command = [self._program, self._path("run.toml"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=250)
        if done.returncode != 0:
            sys.exit(f"{self._program} {settings}: {done.stderr}")
        return json.loads(done.stdout)

    def _save(self, pixels):
        path = self._path("in.npy")
        self._numpy.save(path, self._numpy.ascontiguousarray(pixels))
        return path

    def _lists(self, drawn):
        return {key: self._numpy.array([one[key] for one in drawn]) for key in drawn[0]}


class Probe(_Program):
    """augment_probe: one sample."""

    def draws(self, settings, picture_sides, sides, seed=1, count=10_000):
        """What is drawn at the positions 0 to count - 1, as lists by name."""
        picture = f"{picture_sides[0]}x{picture_sides[1]}"
        drawn = self._run(settings, picture, f"{sides[0]}x{sides[1]}", seed, 0, count, "-")
        policies = [one.pop("auto_augment") for one in drawn]
        return self._lists(drawn) | {"auto_augment": policies}

    def augment(self, settings, picture_hwc, sides, seed=1, first=0, count=1):
        """float32 [count, height, width, channels], and the draws of each."""
        drawn = self._run(settings, self._save(picture_hwc), f"{sides[0]}x{sides[1]}", seed, first,
                          count, self._path("out.npy"))
        return self._numpy.load(self._path("out.npy")), drawn


class MixProbe(_Program):
    """mix_probe: a batch, whose place p has class p of as many classes as there are places."""

    def draws(self, settings, sides, seed=1, count=10_000):
        """What is drawn for so many batches, as lists by name."""
        pictures = self._numpy.zeros((*sides, 1), dtype=self._numpy.uint8)
        return self._lists(self._run(settings, self._save(pictures), 1, seed, count, "-"))

    def mix(self, settings, pictures_bhwc, seed=1, count=1):
        """float32 [count, batch, height, width, channels] and [count, batch, classes], and the draws
        of each."""
        batch, height, width, channels = pictures_bhwc.shape
        rows = pictures_bhwc.reshape(batch * height, width, channels)
        drawn = self._run(settings, self._save(rows), batch, seed, count, self._path("out"))
        return (self._numpy.load(self._path("out.pixels.npy")),
                self._numpy.load(self._path("out.targets.npy")), drawn)


class Report:
    """Holds comparisons against their bounds; the exit code says whether all held."""

    def __init__(self):
        self._num_failed = 0

    def at_most(self, what, found, bound):
        holds = bool(found <= bound)  # NaN fails
        self._num_failed += not holds
        print(f"{'holds ' if holds else 'FAILED'} {what}: {found:.6g}, at most {bound:g}")

    def differs_by_at_most(self, what, found, expected, bound):
        """Two arrays, in units of the stored pixels."""
        numpy = importlib.import_module("numpy")
        if found.shape != expected.shape:
            self.at_most(f"{what}: shapes {found.shape} and {expected.shape}", 1, 0)
            return
        difference = numpy.abs(found.astype(numpy.float64) - expected.astype(numpy.float64))
        self.at_most(f"{what}: largest difference", difference.max(), bound)

    def end(self):
        sys.exit(1 if self._num_failed else 0)


def picture(height, width, seed=7, channels=3):
    """Smooth colours with noise on top: no symmetry, no value that clamps."""
    numpy = importlib.import_module("numpy")
    random = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width]
    waves = numpy.stack([127 + 60 * numpy.sin(x / (5 + 3 * c) + 2 * y / (9 + c) + c)
                         for c in range(channels)], axis=-1)
    noise = random.integers(-40, 41, size=waves.shape)
    return numpy.clip(waves + noise, 0, 255).astype(numpy.uint8)
