"""Logits of torchvision's models with weights and a picture that a formula gives, which
tests/train/backend/torchvision_logits_test.cpp knows too: what torchvision_logits.txt beside it holds.

    torchvision_logits.py FILE            compares the file with the torchvision that is installed
    torchvision_logits.py FILE --write    writes it
"""

import sys

from even_values import even
from probe import needs

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")

# One of each kind of block, and few enough weights that a test may set them.
MODELS = ("resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "densenet121",
          "convnext_tiny")
NUM_CLASSES = 10
HEIGHT_PX, WIDTH_PX = 64, 40
# Other processors and versions add up in another order.
TOLERANCE = 1e-4


def value(name, shape):
    u = even(name, int(numpy.prod(shape)))
    if name.endswith("layer_scale"):
        values = 0.5 + 0.25 * u
    elif len(shape) > 1:
        values = u * numpy.sqrt(6 * shape[0] / u.size)
    elif name.endswith("running_var"):
        values = 1 + 0.5 * u
    elif name.endswith("weight"):
        values = 1 + 0.25 * u
    else:
        values = 0.1 * u
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)


def logits_of(name, picture):
    model = torchvision.models.get_model(name, weights=None, num_classes=NUM_CLASSES).eval()
    state = {key: tensor if key.endswith("num_batches_tracked") else value(key, tensor.shape)
             for key, tensor in model.state_dict().items()}
    model.load_state_dict(state)
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
