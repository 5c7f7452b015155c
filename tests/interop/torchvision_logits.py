"""Logits of torchvision's models with weights and a picture that a formula gives, which
tests/train/backend/torchvision_logits_test.cpp knows too: what torchvision_logits.txt beside it holds.

    torchvision_logits.py FILE            compares the file with the torchvision that is installed
    torchvision_logits.py FILE --write    writes it
"""

import sys

from even_values import even
from probe import needs

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")

# One of each kind of block. Of vgg11_bn's last map, 2 x 1, the adaptive pool makes 7 x 7.
MODELS = ("resnet18", "resnet34", "resnet50", "vgg11_bn", "mobilenet_v2", "mobilenet_v3_small",
          "efficientnet_b0", "densenet121", "convnext_tiny")
NUM_CLASSES = 10
HEIGHT_PX, WIDTH_PX = 64, 40
# Other processors and versions add up in another order.
TOLERANCE = 1e-4


def middle_and_width(name, shape):
    if name.endswith("layer_scale"):
        return 0.5, 0.25
    if len(shape) > 1:
        return 0.0, numpy.sqrt(6 * shape[0] / numpy.prod(shape))
    if name.endswith("running_var"):
        return 1.0, 0.5
    return (1.0, 0.25) if name.endswith("weight") else (0.0, 0.1)


def fill(name, tensor):
    """Piece by piece: a hundred million weights are much in float64."""
    middle, width = middle_and_width(name, tensor.shape)
    flat = tensor.reshape(-1)
    for first in range(0, len(flat), 2**20):
        count = min(2**20, len(flat) - first)
        values = middle + width * even(name, count, first)
        flat[first:first + count] = torch.from_numpy(values.astype(numpy.float32))


def logits_of(name, picture):
    model = torchvision.models.get_model(name, weights=None, num_classes=NUM_CLASSES).eval()
    for key, tensor in model.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            fill(key, tensor)
    with torch.no_grad():
        return model(picture)[0].double().numpy()


def main():
    path = sys.argv[1]
    shape = (1, 3, HEIGHT_PX, WIDTH_PX)
    picture = torch.from_numpy(even("input", 3 * HEIGHT_PX * WIDTH_PX).astype(numpy.float32))
    found = {name: logits_of(name, picture.reshape(shape)) for name in MODELS}
    if sys.argv[2:] == ["--write"]:
        with open(path, "w") as file:
            file.write(f"# torchvision {torchvision.__version__.split('+')[0]}: written by "
                       "tests/interop/torchvision_logits.py\n")
            for name, logits in found.items():
                file.write(name + "".join(f" {logit:.7g}" for logit in logits) + "\n")
            return
    failed = False
    with open(path) as file:
        for line in file:
            name, *kept = line.split()
            if name == "#":
                continue
            kept = numpy.array(kept, dtype=float)
            difference = numpy.linalg.norm(found[name] - kept) / numpy.linalg.norm(kept)
            print(f"{name}: relative difference {difference:.2g}")
            failed = failed or not difference < TOLERANCE
    sys.exit(1 if failed else 0)


main()
