"""RandAugment's pixels against torchvision's functional calls, two operations one after the other,
with the operations and strengths that were drawn.

All geometry is sampled once, before any colour (augment/README.md, "Differences"). So the operations are
handed to torchvision in that order, two of geometry as one matrix: a product of torchvision's own.
Factors work on floats, as torchvision's do on float pictures; all else on bytes. Where the order is the
same and there is no factor, the calls are the very ones of its RandAugment on bytes.
"""

import math
from collections import defaultdict

from policy_operations import COLOURS, GEOMETRY, TRANSLATIONS, magnitude, named
from probe import Probe, Report, needs, picture

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")
from torchvision.transforms import InterpolationMode, autoaugment  # noqa: E402
from torchvision.transforms import _functional_tensor  # noqa: E402
from torchvision.transforms.functional import _get_inverse_affine_matrix  # noqa: E402

# Two factors: about eight float32 roundings of up to 255.
FLOAT = 8 * 255 * 2.0**-24
COUNT = 1500  # 196 pairs of operations, each about 8 times
SIDES = (48, 60)
FACTORS = COLOURS - {"Sharpness"}  # torchvision's sharpness of bytes is whole, and so is ours

probe, report = Probe(), Report()


def apply_op(image, name, amount, space):
    return autoaugment._apply_op(image, name, magnitude(name, amount, space),
                                 InterpolationMode.NEAREST, None)


def inverse_matrix(name, amount, sides):
    """Of output to input positions: the one that _apply_op makes of an operation."""
    height, width = sides
    corner, middle = [-0.5 * width, -0.5 * height], [0.0, 0.0]
    slope_deg = math.degrees(math.atan(amount))
    shear = {"ShearX": [slope_deg, 0.0], "ShearY": [0.0, slope_deg]}.get(name, [0.0, 0.0])
    shift = {"TranslateX": [amount, 0.0], "TranslateY": [0.0, amount]}.get(name, [0.0, 0.0])
    angle = -amount if name == "Rotate" else 0.0
    centre = corner if name.startswith("Shear") else middle
    rows = _get_inverse_affine_matrix(centre, angle, shift, 1.0, shear)
    return numpy.array([rows[:3], rows[3:], [0, 0, 1]])


def moved(image, operations, space):
    if len(operations) == 1:
        return apply_op(image, *operations[0], space)
    matrix = numpy.eye(3)
    for name, amount in operations:
        strength = amount if name in TRANSLATIONS else magnitude(name, amount, space)
        matrix = matrix @ inverse_matrix(name, strength, image.shape[-2:])
    return _functional_tensor.affine(image, matrix[:2].flatten().tolist(), "nearest", [0.0])


def coloured(image, operations, space):
    """uint8 [3, height, width] -> float32 of 0 to 255."""
    values = image.float()
    for name, amount in operations:
        if name == "Identity":
            continue
        if name in FACTORS:
            values = apply_op(values / 255, name, amount, space) * 255
        else:
            values = apply_op(values.round().clamp(0, 255).to(torch.uint8), name, amount,
                              space).float()
    return values


def in_our_order(image, operations, space):
    geometry = [one for one in operations if one[0] in GEOMETRY]
    colours = [one for one in operations if one[0] not in GEOMETRY]
    return coloured(moved(image, geometry, space) if geometry else image, colours, space)


def is_torchvisions_own(operations):
    """Whether its RandAugment, on bytes, has nothing to round and does the same in the same order."""
    names = [name for name, _ in operations]
    return not FACTORS & set(names) and names[-1] not in GEOMETRY


def in_its_order(image, operations, space):
    for name, amount in operations:
        image = apply_op(image, name, amount, space)
    return image.float()


def compare(strength, lowest, highest):
    """On values from `lowest` to `highest`, which two factors of this strength leave within 0 to 255:
    beyond, torchvision cuts off after each, and this after the last."""
    span = picture(*SIDES).astype(int)
    source = (lowest + span * (highest - lowest) // 255).astype(numpy.uint8)
    image = torch.from_numpy(source).permute(2, 0, 1)
    space = autoaugment.RandAugment(num_ops=2, magnitude=strength)._augmentation_space(31, SIDES)
    settings = {"auto_augment": "rand_augment", "rand_augment_ops": 2,
                "rand_augment_magnitude": strength, "fill_mode": "constant",
                "interpolation": "nearest"}
    found, draws = probe.augment(settings, source, SIDES, count=COUNT)
    worst = defaultdict(float)
    num_own = 0
    for result, drawn in zip(found, draws):
        operations = named(drawn["auto_augment"])
        expected = in_our_order(image, operations, space)
        if is_torchvisions_own(operations):
            num_own += 1
            expected = in_its_order(image, operations, space)
        pair = tuple(name for name, _ in operations)
        difference = numpy.abs(result - expected.permute(1, 2, 0).numpy()).max()
        worst[pair] = max(worst[pair], difference)
    what = f"RandAugment of strength {strength}"
    report.at_most(f"{what}: pairs of operations of 196 that never came", 196 - len(worst), 0)
    report.at_most(f"{what}: samples of {COUNT} that are not torchvision's own calls",
                   COUNT - num_own, 0.8 * COUNT)
    for first in sorted({pair[0] for pair in worst}):
        report.at_most(f"{what}: {first}, then any: largest difference",
                       max(value for pair, value in worst.items() if pair[0] == first), FLOAT)


# Strengths at which no position of these sides lies halfway between two pixels, and no sharpened value
# is nearly whole: there float32 decides. Values are such that no two factors leave 0 to 255.
compare(9, 60, 150)
compare(17, 70, 110)
compare(29, 50, 72)
report.end()
