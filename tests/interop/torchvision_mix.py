"""Mixup and cutmix against torchvision.transforms.v2: pixels and targets with the share and the box
that were drawn, and both over 10,000 batches against torchvision's own draws."""

from probe import MixProbe, Report, needs, picture
from two_samples import largest_gap, rate_gap

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")
from torchvision.transforms import v2  # noqa: E402

COUNT = 10_000
# Chances of a false alarm: 1 in 1,500 for each gap of 2.0, 1 in 1,700 for each rate of 3.5 sigma.
GAP, RATE = 2.0, 3.5
# A mixture is three float32 roundings of at most 255, and torch rounds its share to float32 once more.
PIXEL, TARGET = 8 * 255 * 2.0**-24, 4 * 2.0**-24

probe, report = MixProbe(), Report()
torch.manual_seed(5)


def box_of(drawn):
    x, y = drawn["box_x_px"], drawn["box_y_px"]
    return x, y, x + drawn["box_width_px"], y + drawn["box_height_px"]


def torchvision_pair(images, targets, drawn):
    """What torchvision makes of a batch of two: each is mixed with the other, as mirrors are here."""
    if drawn["is_mixup"]:
        transform, params = v2.MixUp(num_classes=len(targets[0])), {"lam": drawn["share"]}
    else:
        x1, y1, x2, y2 = box = box_of(drawn)
        height, width = images.shape[-2:]
        # As CutMix.make_params has it.
        share = float(1.0 - (x2 - x1) * (y2 - y1) / (width * height))
        transform, params = v2.CutMix(num_classes=len(targets[0])), {"box": box,
                                                                     "lam_adjusted": share}
    params |= {"labels": targets, "batch_size": 2}
    return transform.transform(images, params), transform.transform(targets, params)


def compare_batches(what, settings, batch):
    pictures = numpy.stack([picture(20, 28, seed=place) for place in range(batch)])
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    one_hot = torch.eye(batch)
    pixels, targets, draws = probe.mix(settings, pictures, count=60)
    expected_pixels = numpy.empty_like(pixels)
    expected_targets = numpy.empty_like(targets)
    for k, drawn in enumerate(draws):
        for place in range((batch + 1) // 2):
            pair = [place, batch - 1 - place]
            if pair[0] == pair[1]:  # the middle of an odd number stays
                mixed, mixed_targets = images[pair], one_hot[pair]
            else:
                mixed, mixed_targets = torchvision_pair(images[pair], one_hot[pair], drawn)
            expected_pixels[k, pair] = mixed.permute(0, 2, 3, 1).numpy()
            expected_targets[k, pair] = mixed_targets.numpy()
    is_swapped = "mixup" not in settings
    report.differs_by_at_most(f"{what}: pixels", pixels, expected_pixels, 0 if is_swapped else PIXEL)
    report.differs_by_at_most(f"{what}: targets", targets, expected_targets, TARGET)
    report.at_most(f"{what}: batches that stayed as they were",
                   sum(bool((mixed == pictures).all()) for mixed in pixels), len(draws) // 4)
    both = {"mixup", "cutmix"} <= settings.keys()
    report.at_most(f"{what}: kinds missing",
                   (1 + both) - len({drawn["is_mixup"] for drawn in draws}), 0)


def held(shares):
    """Shares closer to an end than float32, in which torch draws, tells apart."""
    return numpy.clip(numpy.array(shares, dtype=float), 1e-6, 1 - 1e-6)


def compare_mixup_draws(alpha):
    ours = probe.draws({"mixup": alpha}, (32, 32), count=COUNT)["share"]
    transform = v2.MixUp(alpha=alpha, num_classes=2)
    theirs = [transform.make_params([])["lam"] for _ in range(COUNT)]
    report.at_most(f"MixUp({alpha}): share", largest_gap(numpy, held(ours), held(theirs)), GAP)


def compare_cutmix_draws(alpha, height, width):
    drawn = probe.draws({"cutmix": alpha}, (height, width), count=COUNT)
    x1, y1, x2, y2 = box_of(drawn)
    transform = v2.CutMix(alpha=alpha, num_classes=2)
    image = torch.empty(2, 1, height, width)
    params = [transform.make_params([image]) for _ in range(COUNT)]
    their_x1, their_y1, their_x2, their_y2 = numpy.array([one["box"] for one in params]).T
    what = f"CutMix({alpha}) of {height} x {width}"
    for name, ours, theirs in (
            ("left", x1, their_x1), ("top", y1, their_y1), ("right", x2, their_x2),
            ("bottom", y2, their_y2), ("width", x2 - x1, their_x2 - their_x1),
            ("height", y2 - y1, their_y2 - their_y1),
            ("area", (x2 - x1) * (y2 - y1), (their_x2 - their_x1) * (their_y2 - their_y1)),
            ("share", drawn["share"], numpy.array([one["lam_adjusted"] for one in params]))):
        report.at_most(f"{what}: {name}", largest_gap(numpy, ours, theirs), GAP)


def compare_choice():
    ours = probe.draws({"mixup": 0.2, "cutmix": 1.0}, (32, 32), seed=2,
                       count=COUNT)["is_mixup"]
    choose = v2.RandomChoice([lambda _: True, lambda _: False])
    report.at_most("RandomChoice of both: rate of mixup",
                   rate_gap(list(ours), [choose(None) for _ in range(COUNT)]), RATE)


compare_batches("mixup, 6 samples", {"mixup": 0.8}, 6)
compare_batches("mixup, 5 samples", {"mixup": 0.2}, 5)
compare_batches("cutmix, 6 samples", {"cutmix": 1.0}, 6)
compare_batches("cutmix, 5 samples", {"cutmix": 0.3}, 5)
compare_batches("both, 4 samples", {"mixup": 0.4, "cutmix": 1.0}, 4)
for alpha in (0.2, 1.0, 4.0):
    compare_mixup_draws(alpha)
compare_cutmix_draws(1.0, 32, 32)
compare_cutmix_draws(0.3, 20, 48)
compare_choice()
report.end()
