"""Colours against torchvision's adjust_brightness, adjust_contrast, adjust_saturation and adjust_hue
with the values that were drawn, and the draws against ColorJitter's and RandomErasing's own."""

from probe import Probe, Report, needs, picture
from two_samples import largest_gap, rate_gap

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")
from torchvision import transforms  # noqa: E402
from torchvision.transforms import functional as F  # noqa: E402

# float32 in units of 0 to 1 there, 0 to 255 here: some roundings of 255. Hue is in fixed point here, and so is
# what is before it, to be within a level and a tenth on average; some 128ths and a tenth of this are.
LINEAR, HUE, STEPS_AND_HUE, MEAN = 1e-3, 3e-2, 0.2, 0.02
COUNT = 10_000
GAP, RATE = 2.0, 3.5  # as in torchvision_draws.py

probe, report = Probe(), Report()
torch.manual_seed(2)


def adjusted(pixels_hwc, drawn):
    """On floats, which torchvision clamps to 0 to 1 after each step."""
    image = torch.from_numpy(pixels_hwc).permute(2, 0, 1).float() / 255
    image = F.adjust_brightness(image, drawn["brightness"])
    image = F.adjust_contrast(image, drawn["contrast"])
    image = F.adjust_saturation(image, drawn["saturation"])
    if drawn["hue_turns"] != 0:
        image = F.adjust_hue(image, drawn["hue_turns"])
    return (image * 255).permute(1, 2, 0).numpy()


def compare_pixels(what, settings, source, bound):
    found, draws = probe.augment(settings, source, source.shape[:2], count=30)
    apart = numpy.abs([image - adjusted(source, drawn) for image, drawn in zip(found, draws)])
    report.at_most(f"{what}: largest difference", apart.max(), bound)
    report.at_most(f"{what}: mean difference", apart.mean(), MEAN)


def compare_colours():
    source = picture(40, 56)
    gray = numpy.repeat(picture(40, 56, channels=1), 3, axis=2)
    compare_pixels("adjust_brightness", {"brightness_range": [0.2, 1.9]}, source, LINEAR)
    compare_pixels("adjust_contrast", {"contrast_range": [0.2, 1.9]}, source, LINEAR)
    compare_pixels("adjust_saturation", {"saturation_range": [0, 2]}, source, LINEAR)
    compare_pixels("adjust_hue", {"hue_range": 0.5}, source, HUE)
    compare_pixels("adjust_hue of gray", {"hue_range": 0.5}, gray, HUE)
    # Steps in a row are clamped once here and each time there: values that reach neither end.
    within = (source // 3 + 80).astype(numpy.uint8)
    jitter = {"brightness_range": [0.8, 1.2], "contrast_range": [0.8, 1.2],
              "saturation_range": [0.8, 1.2], "hue_range": 0.1}
    compare_pixels("all four in a row, as ColorJitter", jitter, within, STEPS_AND_HUE)


def compare_jitter_draws():
    settings = {"brightness_range": [0.6, 1.4], "contrast_range": [0.5, 1.5],
                "saturation_range": [0.7, 1.3], "hue_range": 0.1}
    ours = probe.draws(settings, (8, 8), (8, 8), count=COUNT)
    theirs = numpy.array([transforms.ColorJitter.get_params((0.6, 1.4), (0.5, 1.5), (0.7, 1.3),
                                                            (-0.1, 0.1))[1:] for _ in range(COUNT)])
    for column, name in enumerate(("brightness", "contrast", "saturation", "hue_turns")):
        report.at_most(f"ColorJitter: {name}", largest_gap(numpy, ours[name], theirs[:, column]), GAP)


def compare_erasing():
    chance, scale, ratio = 0.25, (0.02, 0.33), (0.3, 3.3)
    settings = {"random_erasing": chance, "random_erasing_scale": scale,
                "random_erasing_ratio": ratio}
    ours = probe.draws(settings, (96, 128), (96, 128), seed=4, count=4 * COUNT)
    is_erased = ours["erased_width_px"] > 0
    report.at_most("RandomErasing: rate", rate_gap(list(is_erased), (torch.rand(COUNT) < chance)
                                                   .tolist()), RATE)
    image = torch.zeros(3, 96, 128)
    theirs = numpy.array([transforms.RandomErasing.get_params(image, scale, ratio, [0.0])[:4]
                          for _ in range(COUNT)], dtype=float)
    i, j, h, w = theirs.T
    top, left, high, wide = (ours[f"erased_{name}_px"][is_erased]
                             for name in ("y", "x", "height", "width"))
    for name, one, other in (("area", high * wide, h * w), ("ratio", high / wide, h / w),
                             ("height", high, h), ("width", wide, w), ("top", top, i),
                             ("left", left, j), ("bottom", top + high, i + h),
                             ("right", left + wide, j + w)):
        report.at_most(f"RandomErasing: {name}", largest_gap(numpy, one, other), GAP)
    source = picture(24, 32)
    found, draws = probe.augment({**settings, "random_erasing": 1, "random_erasing_value": 9},
                                 source, (24, 32), count=20)
    num_unequal = 0
    for image, drawn in zip(found, draws):
        top, left, high, wide = (int(drawn[f"erased_{name}_px"])
                                 for name in ("y", "x", "height", "width"))
        tensor = torch.from_numpy(source).permute(2, 0, 1).float()
        expected = F.erase(tensor, top, left, high, wide, torch.tensor(9.0)).permute(1, 2, 0)
        num_unequal += not numpy.array_equal(image, expected.numpy())
    report.at_most("erase: pictures of 20 not equal", num_unequal, 0)


compare_colours()
compare_jitter_draws()
compare_erasing()
report.end()
