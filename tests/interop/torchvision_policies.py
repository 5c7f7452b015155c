"""TrivialAugmentWide and RandAugment against torchvision: how often each operation and strength comes,
and each operation's pixels with the strength that was drawn."""

from collections import defaultdict

from policy_operations import COLOURS, GEOMETRY, TRANSLATIONS, magnitude, named
from probe import Probe, Report, needs, picture

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")
from torchvision.transforms import InterpolationMode, autoaugment  # noqa: E402

COUNT = 10_000
# A chi-square of k degrees of freedom is above k + 4 sqrt(2 k) about once in 2,000 times.
WIDE = 4.0
# torchvision cuts fractions off where it stores bytes: up to 1. Its gray is a whole number too, which
# a factor of up to 1.99 makes another 1.
BYTE, GRAY = 1.0, 2.0

probe, report = Probe(), Report()
torch.manual_seed(3)

def chi_square(counts, other):
    """Two samples in the same bins, divided as `report` wants it: by k + WIDE sqrt(2 k)."""
    names = sorted(set(counts) | set(other))
    total, other_total = sum(counts.values()), sum(other.values())
    value = sum((counts.get(name, 0) * (other_total / total) ** 0.5
                 - other.get(name, 0) * (total / other_total) ** 0.5) ** 2
                / (counts.get(name, 0) + other.get(name, 0)) for name in names)
    freedom = max(len(names) - 1, 1)
    return value / (freedom + WIDE * (2 * freedom) ** 0.5)


def tally(operations, space):
    by_name, by_bin = defaultdict(int), defaultdict(int)
    for name, amount in operations:
        by_name[name] += 1
        by_bin[(name, round(magnitude(name, amount, space), 4))] += 1
    return by_name, by_bin


def torchvision_draws(transform, image):
    """What torchvision applies: its own _apply_op, listened to."""
    applied = []

    def listen(image, name, amount, *_, **__):
        if name in COLOURS:
            amount += 1
        elif name in TRANSLATIONS:  # it takes the whole part; of 16 px its float32 makes 15.999998
            amount = float(int(amount + (1e-4 if amount > 0 else -1e-4)))
        applied.append((name, amount))
        return image

    original = autoaugment._apply_op
    autoaugment._apply_op = listen
    try:
        for _ in range(COUNT):
            transform(image)
    finally:
        autoaugment._apply_op = original
    return applied


def compare_draws(what, settings, transform, space):
    image = torch.zeros(3, 32, 32, dtype=torch.uint8)
    drawn = probe.draws(settings, (32, 32), (32, 32), count=COUNT)["auto_augment"]
    operations = [one for sample in drawn for one in named(sample)]
    ours, our_bins = tally(operations, space)
    theirs, their_bins = tally(torchvision_draws(transform, image), space)
    report.at_most(f"{what}: operations", chi_square(ours, theirs), 1)
    report.at_most(f"{what}: operations with their strengths", chi_square(our_bins, their_bins), 1)
    report.at_most(f"{what}: operations without a name in common", len(set(ours) ^ set(theirs)), 0)


def compare_pixels():
    """One operation each: TrivialAugmentWide. Geometry inside the picture: at its border torchvision
    blends with the fill."""
    source = picture(64, 64)
    image = torch.from_numpy(source).permute(2, 0, 1)
    space = autoaugment.TrivialAugmentWide()._augmentation_space(31)
    settings = {"auto_augment": "trivial_augment_wide", "fill_mode": "constant"}
    found, draws = probe.augment(settings, source, (64, 64), count=600)
    worst = defaultdict(float)
    for result, drawn in zip(found, draws):
        ((name, amount),) = named(drawn["auto_augment"])
        expected = autoaugment._apply_op(image, name, magnitude(name, amount, space),
                                         InterpolationMode.BILINEAR, None)
        difference = numpy.abs(result - expected.permute(1, 2, 0).numpy())
        if name in GEOMETRY:
            # Where all of a blend is the picture: a white one stays white.
            white = autoaugment._apply_op(torch.full_like(image, 255), name,
                                          magnitude(name, amount, space), InterpolationMode.BILINEAR,
                                          None).permute(1, 2, 0).numpy()
            difference = difference[white == 255]
        worst[name] = max(worst[name], difference.max(initial=0.0))
    report.at_most("TrivialAugmentWide: operations of 14 without a picture", 14 - len(worst), 0)
    for name in sorted(worst):
        bound = GRAY if name in ("Color", "Contrast") else BYTE
        report.at_most(f"{name}: largest difference", worst[name], bound)


compare_pixels()
wide = autoaugment.TrivialAugmentWide()
compare_draws("TrivialAugmentWide", {"auto_augment": "trivial_augment_wide"}, wide,
              wide._augmentation_space(31))
rand = autoaugment.RandAugment(num_ops=2, magnitude=9)
compare_draws("RandAugment", {"auto_augment": "rand_augment", "rand_augment_ops": 2,
                              "rand_augment_magnitude": 9}, rand,
              rand._augmentation_space(31, (32, 32)))
report.end()
