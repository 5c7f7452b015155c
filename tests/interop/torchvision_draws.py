"""What is drawn against torchvision's own get_params, 10,000 times each: two-sample tests with fixed
thresholds. Both are seeded, so a result is the same at every run."""

from probe import Probe, Report, needs
from two_samples import largest_gap, rate_gap

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")
from torchvision import transforms  # noqa: E402

COUNT = 10_000
# Chances of a false alarm: 1 in 1,500 for each gap of 2.0, 1 in 1,700 for each rate of 3.5 sigma.
GAP, RATE = 2.0, 3.5

probe, report = Probe(), Report()
torch.manual_seed(1)


def compare_random_resized_crop(height, width, scale, ratio):
    settings = {"random_resized_crop": True, "random_resized_crop_scale": scale,
                "random_resized_crop_ratio": ratio}
    drawn = probe.draws(settings, (height, width), (224, 224), count=COUNT)
    image = torch.empty(3, height, width)
    theirs = numpy.array([transforms.RandomResizedCrop.get_params(image, scale, ratio)
                          for _ in range(COUNT)], dtype=float)
    i, j, h, w = theirs.T
    top, left = drawn["window_y_px"], drawn["window_x_px"]
    high, wide = drawn["window_height_px"], drawn["window_width_px"]
    what = f"RandomResizedCrop of {height} x {width}, scale {scale}, ratio {ratio}"
    for name, ours, other in (("area", high * wide, h * w), ("ratio", wide / high, w / h),
                              ("height", high, h), ("width", wide, w), ("top", top, i),
                              ("left", left, j), ("bottom", top + high, i + h),
                              ("right", left + wide, j + w)):
        report.at_most(f"{what}: {name}", largest_gap(numpy, ours, other), GAP)


def compare_random_crop():
    drawn = probe.draws({"random_crop_padding": 4}, (32, 32), (32, 32), count=COUNT)
    image = torch.empty(3, 40, 40)
    theirs = numpy.array([transforms.RandomCrop.get_params(image, (32, 32)) for _ in range(COUNT)])
    for name, ours, other in (("top", drawn["shift_y_px"] + 4, theirs[:, 0]),
                              ("left", drawn["shift_x_px"] + 4, theirs[:, 1])):
        report.at_most(f"RandomCrop(32, padding=4): {name}", largest_gap(numpy, ours, other), GAP)
        counts = numpy.bincount(ours.astype(int), minlength=9)
        expected = COUNT / 9
        chi_square = ((counts - expected) ** 2 / expected).sum()
        # 8 degrees of freedom: above 26.1 once in 1,000 times.
        report.at_most(f"RandomCrop(32, padding=4): {name} over its 9 places, chi-square",
                       chi_square if len(counts) == 9 else numpy.inf, 26.1)


def compare_flip_rates():
    for chance in (0.5, 0.1):
        drawn = probe.draws({"horizontal_flip": chance, "vertical_flip": chance}, (8, 8), (8, 8),
                            count=COUNT)
        # RandomHorizontalFlip.forward: torch.rand(1) < p
        theirs = (torch.rand(COUNT) < chance).tolist()
        for name in ("is_flipped", "is_flipped_vertically"):
            report.at_most(f"Random*Flip({chance}): {name}", rate_gap(list(drawn[name]), theirs),
                           RATE)
        # Independent: both at once as often as the product of the chances says.
        both = list(drawn["is_flipped"] & drawn["is_flipped_vertically"])
        product = (torch.rand(COUNT) < chance * chance).tolist()
        report.at_most(f"Random*Flip({chance}): both at once", rate_gap(both, product), RATE)


compare_random_resized_crop(375, 500, (0.08, 1.0), (3 / 4, 4 / 3))
compare_random_resized_crop(500, 375, (0.5, 1.0), (1.0, 1.0))
# Mostly the fallback: no window of such a ratio has so much of the area.
compare_random_resized_crop(100, 400, (0.3, 1.0), (3 / 4, 4 / 3))
compare_random_crop()
compare_flip_rates()
report.end()
