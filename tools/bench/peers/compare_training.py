"""Penstock's training step beside PyTorch's, in rounds: A B C, C B A, ...

Penstock is `penstock bench train`, a process each round; every variant of PyTorch (layout, precision) is a
process that stays and waits for its turn. Prints a table, or JSON.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CASES = {
    "resnet18": {"model": "resnet18", "image_size": 224, "batch_size": 32, "classes": 1000},
    "paired_cnn": {"model": str(HERE / "paired_cnn.toml"), "image_size": 32, "batch_size": 128,
                   "classes": 10},
}


class Torch:
    def __init__(self, case, precision, layout, threads):
        self.name = f"PyTorch {precision} {layout}"
        self.precision = precision
        self.batch_size = CASES[case]["batch_size"]
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "torch_step.py"), "--model", case, "--precision", precision,
             "--layout", layout, "--threads", str(threads),
             "--image-size", str(CASES[case]["image_size"]),
             "--batch-size", str(self.batch_size), "--classes", str(CASES[case]["classes"])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self.answer()["ready"]
        self.rounds = []
        self.peak_bytes = None

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended early")
        return json.loads(line)

    def measure(self, num_steps):
        self.process.stdin.write(f"{num_steps}\n")
        self.process.stdin.flush()
        time = self.answer()
        images = num_steps * self.batch_size
        self.rounds.append((images / time["seconds"], time["cpu_seconds"] * 1e6 / images))

    def end(self):
        self.process.stdin.close()
        self.peak_bytes = self.answer()["peak_bytes"]
        self.process.wait()


class Penstock:
    def __init__(self, program, case, precision, threads, has_precision):
        self.name = f"Penstock {precision}"
        self.precision = precision
        values = CASES[case]
        self.line = [program, "bench", "train", "--json", "--rounds", "1",
                     "--model", values["model"], "--image-size", str(values["image_size"]),
                     "--batch-size", str(values["batch_size"]),
                     "--classes", str(values["classes"]), "--threads", str(threads)]
        if has_precision:
            self.line += ["--precision", precision]
        self.rounds = []
        self.shares = []
        self.peak_bytes = None

    def measure(self, _num_steps):
        report = json.loads(subprocess.run(self.line, check=True, capture_output=True,
                                           text=True).stdout)
        step = next(side for side in report["sides"] if side["name"] == "training step")
        self.rounds.append((step["images_per_s"]["median"], step["cpu_us"]["median"]))
        self.shares.append(step["ratio"]["median"])
        self.peak_bytes = report["peak_bytes"]

    def end(self):
        pass


def sides_of(options):
    has_precision = "--precision" in subprocess.run(
        [options.penstock, "bench", "train", "--help"], check=True, capture_output=True,
        text=True).stdout
    sides = []
    for precision in ("float32", "bfloat16"):
        if precision == "float32" or has_precision:
            sides.append(Penstock(options.penstock, options.case, precision, options.threads,
                                  has_precision))
        for layout in ("contiguous", "channels_last"):
            sides.append(Torch(options.case, precision, layout, options.threads))
    return sides


def compare(sides, precision):
    """Penstock over PyTorch's best, round by round: by the clock and by CPU time."""
    ours = [side for side in sides if side.precision == precision and isinstance(side, Penstock)]
    peers = [side for side in sides if side.precision == precision and isinstance(side, Torch)]
    if not ours:
        return None
    best = max(peers, key=lambda side: statistics.median(speed for speed, _ in side.rounds))
    pairs = list(zip(ours[0].rounds, best.rounds))
    return {"precision": precision, "peer": best.name, "peer_version": best.version,
            "ratio": statistics.median(mine[0] / other[0] for mine, other in pairs),
            "cpu_ratio": statistics.median(other[1] / mine[1] for mine, other in pairs),
            "memory_ratio": ours[0].peak_bytes / best.peak_bytes}


def side_json(side):
    speeds = [speed for speed, _ in side.rounds]
    return {"name": side.name, "images_per_s": {"median": statistics.median(speeds),
                                                "low": min(speeds), "high": max(speeds)},
            "cpu_us": statistics.median(cpu for _, cpu in side.rounds),
            "peak_bytes": side.peak_bytes}


def print_text(report):
    print(f"{report['case']}, {report['num_rounds']} rounds, {report['num_threads']} threads")
    for side in report["sides"]:
        speed = side["images_per_s"]
        print(f"  {side['name']:<32} {speed['median']:>8.1f} images/s "
              f"({speed['low']:.1f} to {speed['high']:.1f}), {side['cpu_us']:>9.0f} CPU us, "
              f"{side['peak_bytes'] / 2**20:>7.0f} MiB")
    for row in report["ratios"]:
        print(f"  {row['precision']}: {row['ratio']:.2f} times {row['peer']} "
              f"({row['peer_version']}), by CPU {row['cpu_ratio']:.2f}; memory "
              f"{row['memory_ratio']:.2f} of its")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--penstock", required=True, help="the program")
    parser.add_argument("--case", choices=list(CASES), required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3, help="of PyTorch's in a round")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    sides = sides_of(options)
    for i in range(options.rounds):
        for side in sides if i % 2 == 0 else reversed(sides):
            side.measure(options.steps)
    for side in sides:
        side.end()
    report = {"case": options.case, "num_rounds": options.rounds, "num_threads": options.threads,
              "sides": [side_json(side) for side in sides],
              "ratios": [row for row in (compare(sides, "float32"), compare(sides, "bfloat16"))
                         if row is not None]}
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print_text(report)


if __name__ == "__main__":
    main()
