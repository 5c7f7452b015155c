"""PyTorch's weights converted and loaded: what tools/pth_to_safetensors.py makes of files of torch.save(),
bit by bit, and the logits of torchvision's models with such weights.

    torch_weights.py MODEL_PROBE PTH_TO_SAFETENSORS TENSOR_PROBE"""

import json
import os
import subprocess
import sys
import tempfile

from probe import Report, needs

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")

# float32 sums in another order, some twenty layers deep.
LOGITS_TOLERANCE = 1e-4


def run(*command, expects_failure=False):
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    if (done.returncode != 0) != expects_failure:
        sys.exit(f"{command}: {done.returncode}: {done.stdout} {done.stderr}")
    return done.stderr if expects_failure else done.stdout


class Folder:
    def __init__(self, name, converter, tensor_probe):
        self._name, self._converter, self._tensor_probe = name, converter, tensor_probe

    def path(self, name):
        return os.path.join(self._name, name)

    def convert(self, content, name="weights.pth", **options):
        torch.save(content, self.path(name))
        return run(sys.executable, self._converter, self.path(name), self.path("weights.safetensors"),
                   **options)

    def tensors(self):
        """Shapes and bits by name, as our reader sees them."""
        lines = run(self._tensor_probe, self.path("weights.safetensors")).splitlines()
        tensors = [json.loads(line) for line in lines]
        return {one["name"]: (tuple(one["shape"]), one["bits"]) for one in tensors}


def bits_of(array):
    return (array.shape, numpy.ascontiguousarray(array).reshape(-1).view(numpy.uint32).tolist())


def small_state():
    """Every type that is converted, a value not in order in memory, and a counter."""
    random = numpy.random.RandomState(3)
    values = random.standard_normal((4, 3, 2)).astype(numpy.float32)
    single = torch.from_numpy(values)
    state = {"single": single, "turned": single.permute(2, 0, 1), "double": single.double() / 3,
             "half": single.half(), "brain": single.bfloat16(), "scalar": torch.tensor(0.5),
             "bn.num_batches_tracked": torch.tensor(7)}
    # bfloat16 is float32 without its lower half: rounded to the nearest, ties to even.
    bits = values.view(numpy.uint32)
    brain = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(numpy.uint32).view(numpy.float32)
    expected = {"single": values, "turned": values.transpose(2, 0, 1),
                "double": (values.astype(numpy.float64) / 3).astype(numpy.float32),
                "half": values.astype(numpy.float16).astype(numpy.float32), "brain": brain,
                "scalar": numpy.array(0.5, dtype=numpy.float32)}
    return state, {name: bits_of(array) for name, array in expected.items()}


def compare_conversions(report, folder):
    state, expected = small_state()
    parallel = {"module." + name: tensor for name, tensor in state.items()}
    for what, content in (("alone", state), ("in a checkpoint", {"state_dict": state, "epoch": 3}),
                          ("of DataParallel", {"model": parallel})):
        folder.convert(content)
        found = folder.tensors()
        differ = set(found) ^ set(expected)
        differ |= {name for name in expected if found.get(name) != expected[name]}
        report.at_most(f"tensors {what} that are read otherwise", len(differ), 0)


def compare_refusals(report, folder):
    too_large = folder.convert({"w": torch.tensor([1e300], dtype=torch.float64)}, expects_failure=True)
    report.at_most("values too large that are not refused", int("float32" not in too_large), 0)
    code = folder.convert({"w": torch.nn.Linear(1, 1)}, expects_failure=True)
    report.at_most("objects with code that are not refused", int("weights.pth" not in code), 0)


def random_model(name, num_classes):
    """A model whose running statistics are not 0 and 1."""
    torch.manual_seed(5)
    model = torchvision.models.get_model(name, weights=None, num_classes=num_classes)
    for key, tensor in model.state_dict().items():
        if key.endswith("running_mean"):
            tensor.normal_(0, 0.2)
        elif key.endswith("running_var"):
            tensor.uniform_(0.6, 1.4)
    return model.eval()


def compare_logits(report, folder, probe, name, sides):
    num_classes, num_batches, batch = 7, 2, 3
    model = random_model(name, num_classes)
    folder.convert(model.state_dict())
    random = numpy.random.RandomState(9)
    pixels = random.standard_normal((num_batches, batch, 3, *sides)).astype(numpy.float32)
    write_batches(folder.path("batches.safetensors"), pixels)
    with torch.no_grad():
        expected = numpy.concatenate([model(torch.from_numpy(one)).numpy() for one in pixels])
    lines = run(probe, "logits", name, str(num_classes), folder.path("weights.safetensors"),
                folder.path("batches.safetensors")).splitlines()
    found = numpy.array([[float(logit) for logit in line.split()] for line in lines])
    if found.shape != expected.shape:
        sys.exit(f"{name}: logits of shape {found.shape}, torchvision's {expected.shape}")
    difference = numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected)
    report.at_most(f"{name}: relative difference of the logits", difference, LOGITS_TOLERANCE)


def write_batches(path, pixels):
    from pth_to_safetensors import write_safetensors

    write_safetensors(path, {"pixels": pixels, "labels": numpy.zeros(pixels.shape[:2], dtype=numpy.float32)})


def main():
    probe, converter, tensor_probe = sys.argv[1:]
    sys.path.insert(0, os.path.dirname(converter))
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(name, converter, tensor_probe)
        compare_conversions(report, folder)
        compare_refusals(report, folder)
        compare_logits(report, folder, probe, "resnet18", (64, 48))
        compare_logits(report, folder, probe, "mobilenet_v3_small", (64, 64))
    report.end()


main()
