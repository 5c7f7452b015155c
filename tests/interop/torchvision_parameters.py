"""Names and shapes of the tensors of torchvision's models, its count of parameters and its GFLOPS, the settings
of norms and dropout, and how far initial weights spread: what
tests/train/graph/zoo/torchvision_parameters.txt holds.

    torchvision_parameters.py FILE            compares the file with the torchvision that is installed, but
                                              for the spreads, which are of one draw
    torchvision_parameters.py FILE --write    writes it
"""

import sys

from probe import needs

torch, torchvision = needs("torch", "torchvision")

MODELS = ("vgg11_bn", "resnet18", "resnet34", "resnet50", "mobilenet_v2", "mobilenet_v3_small",
          "efficientnet_b0", "densenet121", "convnext_tiny")
IMAGE_SIDE_PX = 224
# The deviation of so many draws is within 1.1 % of its mean, one in three times.
NUM_DRAWS = 4096


def settings_of(model):
    is_unused = {f"{key}.stochastic_depth" for key, module in model.named_modules()
                 if not getattr(module, "use_res_connect", True)}
    for key, module in model.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            yield f"norm {key} {module.eps:g} {module.momentum:g}"
        elif isinstance(module, torch.nn.LayerNorm):
            yield f"norm {key} {module.eps:g}"
        elif isinstance(module, (torchvision.ops.StochasticDepth, torch.nn.Dropout)):
            if module.p > 0 and key not in is_unused:
                yield f"drop {key} {module.p:.6g}"


def lines_of(name):
    published = torchvision.models.get_model_weights(name).DEFAULT.meta
    torch.manual_seed(0)
    model = torchvision.models.get_model(name, weights=None).eval()
    with torch.no_grad():
        outputs = model(torch.zeros(1, 3, IMAGE_SIDE_PX, IMAGE_SIDE_PX)).shape[1]
    yield f"model {name} {published['num_params']} {published['_ops']:.3f} {outputs}"
    for key, tensor in model.state_dict().items():
        if not key.endswith(".num_batches_tracked"):  # counts steps: no weight
            yield " ".join(["tensor", key, *map(str, tensor.shape)])
    for key, tensor in model.named_parameters():
        if tensor.numel() >= NUM_DRAWS and tensor.std() > 0:
            yield f"spread {key} {tensor.std():.4g}"
    yield from settings_of(model)


def main():
    path = sys.argv[1]
    lines = [f"# torchvision {torchvision.__version__.split('+')[0]}: written by "
             "tests/interop/torchvision_parameters.py",
             "# model NAME PARAMETERS GIGA-MULTIPLY-ADDS CLASSES, then tensor NAME SIDE...,",
             "# spread NAME DEVIATION, norm NAME EPSILON [MOMENTUM], drop NAME RATE"]
    for name in MODELS:
        lines += lines_of(name)
    if sys.argv[2:] == ["--write"]:
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        return
    with open(path) as file:
        kept = file.read().splitlines()
    different = [line for line in sorted(set(kept[1:]) ^ set(lines[1:]))  # the first line has the version
                 if not line.startswith("spread ")]
    for line in different[:20]:
        print(("only in the file: " if line in kept else "only in torchvision: ") + line)
    print(f"{len(lines)} lines of {len(MODELS)} models, {len(different)} different")
    sys.exit(1 if different else 0)


main()
