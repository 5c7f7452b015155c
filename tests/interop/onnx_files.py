"""ONNX files of `penstock export`: the ONNX checker takes them, and ONNX Runtime gives the program's own logits.

The arguments are the programs penstock and run_probe. Weights are drawn, not trained; pictures are noise."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import zlib

from probe import Report, needs

numpy, onnx, onnxruntime, safetensors = needs("numpy", "onnx", "onnxruntime", "safetensors.numpy")
from onnx import numpy_helper  # noqa: E402  (after needs)

# Sums in another order, up to a hundred layers deep, against the largest logit.
TOLERANCE = 1e-4
NUM_CLASSES = 7
# Any batch: none of them is the one that the run evaluates with.
BATCHES = (1, 6)

NAMED = {"resnet18": "64x48", "mobilenet_v3_small": "64x64", "convnext_tiny": "64x64", "efficientnet_b0": "64x64",
         "densenet121": "64x64", "mobilenet_v2": "64x64", "resnet9": "32x32", "lenet": "28x28", "small_cnn": "33x47"}


def layers(*tables):
    """A model file; values that are texts stay texts."""
    lines = []
    for table in tables:
        lines.append("[[layer]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def layer(kind, **keys):
    return {"type": kind, **{key.rstrip("_"): value for key, value in keys.items()}}


HEAD = [layer("flatten"), layer("dense", units="num_classes")]
ODD = {
    # Padding below and right only, windows with gaps, strides that leave rows over.
    "same_padding": ("13x18", 3, layers(
        layer("conv2d", filters=6, kernel=[3, 4], stride=2, activation="leaky_relu", slope=0.2),
        layer("batch_norm"), layer("max_pool", window=2, stride=2, padding="same"),
        layer("conv2d", filters=8, kernel=3, dilation=2, groups=2, padding="same", activation="relu6"),
        layer("avg_pool", window=3, stride=2, padding="same"), *HEAD)),
    "symmetric_padding": ("15x16", 3, layers(
        layer("conv2d", filters=6, kernel=[5, 3], stride=2, padding="symmetric", bias=False), layer("batch_norm"),
        layer("avg_pool", window=3, stride=1, padding=1), layer("max_pool", window=3, stride=2, padding=1),
        layer("conv2d", filters=4, kernel=2, padding=[1, 0], activation="silu"),
        layer("avg_pool", window=2, stride=2, padding=1, counts_padding=False), *HEAD)),
    # Norms of samples, of places and of flat vectors; a batch norm in each place in which none can be folded.
    "norms": ("9x11", 1, layers(
        layer("batch_norm"), layer("conv2d", filters=8, kernel=3, name="c1"),
        layer("group_norm", groups=4, activation="gelu"), layer("batch_norm", name="n1"),
        layer("layer_norm", epsilon=1e-3), layer("channel_scale", initial=0.5, name="scale"),
        layer("conv2d", from_="scale", filters=8, kernel=1, name="read_twice"),
        layer("batch_norm", name="n2"), layer("add", from_=["n2", "read_twice"]),
        layer("drop_samples", rate=0.2), layer("flatten"), layer("layer_norm"), layer("dense", units=12),
        layer("batch_norm"), layer("dropout", rate=0.5), layer("group_norm", groups=3),
        layer("channel_scale"), layer("dense", units="num_classes", bias=False))),
    # Adaptive windows that overlap, and all that joins branches; squeeze and excite by a dense layer.
    "branches": ("11x14", 3, layers(
        layer("conv2d", filters=6, kernel=3, activation="hard_swish", name="stem"),
        layer("global_avg_pool", name="squeezed"), layer("flatten"), layer("dense", units=6, activation="hard_sigmoid", name="gate"),
        layer("multiply", from_=["stem", "gate"], name="excited"),
        layer("multiply", from_=["excited", "stem"], name="product"),
        layer("concat", from_=["excited", "product", "stem"]), layer("softmax", name="shares"),
        layer("adaptive_avg_pool", from_="shares", output=[3, 4], name="means"),
        layer("adaptive_max_pool", from_="shares", output=[3, 4], name="largest"),
        layer("adaptive_max_pool", from_="stem", output=[11, 7]), layer("adaptive_avg_pool", output=[3, 4]),
        layer("conv2d", filters=18, kernel=1, activation="sigmoid", name="wide"),
        layer("add", from_=["means", "largest", "wide"]), *HEAD)),
    # A classifier without a dense layer; flat shapes that have four dimensions meet flat ones of two.
    "all_convolutions": ("8x8", 3, layers(
        layer("conv2d", filters="num_classes", kernel=1, name="a"), layer("global_max_pool", name="pooled"),
        layer("flatten", name="flat"), layer("dense", units="num_classes", name="b"),
        layer("add", from_=["pooled", "b"], name="sum"), layer("conv2d", from_="b", filters="num_classes", kernel=1, name="c"),
        layer("add", from_=["c", "sum"]), layer("batch_norm"))),
    "adaptive_grows": ("3x2", 3, layers(
        layer("conv2d", filters=4, kernel=1, name="a"), layer("adaptive_max_pool", output=[5, 2], name="b"),
        layer("adaptive_avg_pool", from_="a", output=[5, 2], name="c"), layer("add", from_=["b", "c"]), *HEAD)),
}


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=250)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.stdout} {done.stderr}")
    return done.stdout


def softmax(logits):
    shares = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def write_png(path, pixels_hwc):
    """PNG by its specification: one IDAT, no filter."""
    height, width, channels = pixels_hwc.shape

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + row.tobytes() for row in pixels_hwc)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n"
                   + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Case:
    """One run and the files that it is exported to."""

    def __init__(self, programs, folder, name, sides, channels, text):
        self.penstock, self.probe = programs
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.name, self.channels = name, channels
        self.height, self.width = map(int, sides.split("x"))
        model = name
        if text:
            model = self.path("model.toml")
            with open(model, "w") as file:
                file.write(text)
        run(self.probe, "make", self.path("run"), model, sides, channels, NUM_CLASSES)

    def path(self, name):
        return os.path.join(self.folder, name)

    def export(self, name, *flags):
        path = self.path(name)
        run(self.penstock, "export", self.path("run"), "--onnx", path, *flags)
        onnx.checker.check_model(path, full_check=True)
        return path

    def own_logits(self, images):
        images.tofile(self.path("in"))
        run(self.probe, "logits", self.path("run"), self.path("in"), self.path("out"))
        return numpy.fromfile(self.path("out"), dtype=numpy.float32).reshape(-1, NUM_CLASSES)

    def own_probabilities(self, pictures):
        paths = []
        for i, picture in enumerate(pictures):
            paths.append(self.path(f"{i}.png"))
            write_png(paths[-1], picture)
        answers = json.loads(run(self.penstock, "predict", self.path("run"), *paths, "--json", "--top", 1000))
        found = numpy.zeros((len(pictures), NUM_CLASSES))
        for i, answer in enumerate(answers):
            for one in answer["top"]:
                found[i, one["class_idx"]] = one["probability"]
        return found


def onnx_logits(path, images, optimizes=True):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimizes:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"images": images})[0]


def compare_logits(case, report, random):
    folded, kept = case.export("folded.onnx"), case.export("kept.onnx", "--no-fold")
    for batch in BATCHES:
        images = random.standard_normal((batch, case.channels, case.height, case.width)).astype(numpy.float32)
        own = case.own_logits(images)
        for what, path in (("folded", folded), ("not folded", kept)):
            for optimizes in (True, False):
                found = onnx_logits(path, images, optimizes)
                shape_fits = found.shape == own.shape
                difference = numpy.abs(found - own).max() / numpy.abs(own).max() if shape_fits else numpy.inf
                report.at_most(f"{case.name}, {what}, batch {batch}, "
                               f"{'optimized' if optimizes else 'as written'}: difference", difference, TOLERANCE)


def compare_pictures(case, report, random):
    pictures = random.integers(0, 256, (3, case.height, case.width, case.channels)).astype(numpy.uint8)
    path = case.export("pictures.onnx", "--preprocessing")
    found = softmax(onnx_logits(path, pictures))
    own = case.own_probabilities(pictures)
    report.at_most(f"{case.name}: probabilities of pictures", numpy.abs(found - own).max(), TOLERANCE)


def compare_tensors(case, report):
    """safetensors and ONNX see the same names, shapes and bits."""
    weights = safetensors.load_file(os.path.join(case.path("run"), "weights.safetensors"))
    graph = onnx.load(case.path("kept.onnx")).graph
    written = {one.name: numpy_helper.to_array(one) for one in graph.initializer if "/" not in one.name}
    num = len(set(weights) ^ set(written))
    for name in set(weights) & set(written):
        a, b = weights[name], written[name]
        num += a.dtype != numpy.float32 or a.reshape(-1).tobytes() != b.reshape(-1).tobytes()
    report.at_most(f"{case.name}: tensors of {len(weights)} that safetensors and ONNX see otherwise", num, 0)


def compare_metadata(case, report):
    model = onnx.load(case.path("folded.onnx"))
    found = {one.key: one.value for one in model.metadata_props}
    num = json.loads(found["class_names"]) != [f"cläss {i}" for i in range(NUM_CLASSES)]
    num += found["color_mode"] != ("rgb" if case.channels == 3 else "grayscale")
    num += json.loads(found["std"]) != [0.229, 0.224, 0.225][:case.channels]
    num += model.ir_version != 8 or [one.version for one in model.opset_import] != [17]
    report.at_most(f"{case.name}: metadata that differ", num, 0)


def main():
    report = Report()
    random = numpy.random.default_rng(5)
    cases = {name: (sides, 3, "") for name, sides in NAMED.items()} | ODD
    chosen = sys.argv[3:] or list(cases)
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            case = Case(sys.argv[1:3], folder, name, *cases[name])
            compare_logits(case, report, random)
            compare_pictures(case, report, random)
            compare_tensors(case, report)
            compare_metadata(case, report)
    report.end()


main()
