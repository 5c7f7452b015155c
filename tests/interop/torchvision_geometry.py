"""Pixels against torchvision: Resize, flips, CenterCrop, RandomCrop with padding, RandomResizedCrop
given the same window."""

from probe import Probe, Report, needs, picture

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")
from torchvision.transforms import InterpolationMode  # noqa: E402
from torchvision.transforms import functional as F  # noqa: E402

# Both blend in float32, in another order of operations: a few roundings of 255.
BLEND = 2e-3

probe, report = Probe(), Report()


def tensor(pixels_hwc):
    return torch.from_numpy(numpy.ascontiguousarray(pixels_hwc)).permute(2, 0, 1).float()


def hwc(image):
    return image.permute(1, 2, 0).numpy()


def resized(image, sides, antialias=False, mode=InterpolationMode.BILINEAR):
    return F.resize(image, list(sides), mode, antialias=antialias)


def compare_resize():
    for height, width in ((48, 64), (100, 70), (31, 200), (9, 7)):
        source = picture(height, width)
        found, _ = probe.augment({}, source, (40, 56))
        report.differs_by_at_most(f"Resize, bilinear, {height} x {width} to 40 x 56", found[0],
                                  hwc(resized(tensor(source), (40, 56))), BLEND)


def compare_flips():
    source = picture(40, 56)
    both = {"horizontal_flip": 0.5, "vertical_flip": 0.5}
    found, draws = probe.augment(both, source, (40, 56), count=40)
    seen = set()
    for image, drawn in zip(found, draws):
        expected = tensor(source)
        if drawn["is_flipped"]:
            expected = F.hflip(expected)
        if drawn["is_flipped_vertically"]:
            expected = F.vflip(expected)
        seen.add((drawn["is_flipped"], drawn["is_flipped_vertically"]))
        if not numpy.array_equal(image, hwc(expected)):
            report.at_most(f"hflip, vflip: {drawn}", 1, 0)
    report.at_most("hflip, vflip: kinds of 4 not seen, all seen equal", 4 - len(seen), 0)


def compare_center_crop():
    """Resize(256) and CenterCrop(224) of a square picture; sides that both round to whole pixels."""
    source = picture(256, 256)
    found, _ = probe.augment({"center_crop": 0.875}, source, (224, 224))
    expected = F.center_crop(resized(tensor(source), (256, 256)), [224, 224])
    report.differs_by_at_most("Resize(256), CenterCrop(224) of 256 x 256", found[0], hwc(expected),
                              BLEND)
    # Resampled: the same centres, but for the blend at the window's edge, which sees on here.
    source = picture(512, 640)
    found, _ = probe.augment({"center_crop": 0.875}, source, (224, 224))
    expected = F.center_crop(resized(tensor(source), (256, 320)), [224, 224])
    report.differs_by_at_most("Resize(256), CenterCrop(224) of 512 x 640", found[0], hwc(expected),
                              BLEND)


def compare_random_crop():
    """RandomCrop(32, padding=4) at the place that was drawn, for every padding mode that both have."""
    source = picture(32, 32)
    # torchvision's "symmetric" repeats the edge pixel, as fill mode "reflect" does.
    for fill_mode, padding_mode in (("constant", "constant"), ("nearest", "edge"),
                                    ("reflect", "symmetric")):
        settings = {"random_crop_padding": 4, "fill_mode": fill_mode}
        found, draws = probe.augment(settings, source, (32, 32), count=60)
        padded = F.pad(tensor(source), [4, 4, 4, 4], padding_mode=padding_mode)
        num_unequal = 0
        for image, drawn in zip(found, draws):
            top, left = 4 + int(drawn["shift_y_px"]), 4 + int(drawn["shift_x_px"])
            expected = hwc(F.crop(padded, top, left, 32, 32))
            num_unequal += not numpy.array_equal(image, expected)
        report.at_most(f"RandomCrop(32, padding=4), {padding_mode}: pictures of 60 not equal",
                       num_unequal, 0)


def compare_random_resized_crop():
    """Inside the window: at its edge torchvision repeats the outermost pixel, this sees on."""
    source = picture(150, 200)
    settings = {"random_resized_crop": True}
    found, draws = probe.augment(settings, source, (64, 64), count=40)
    inner = whole = 0.0
    for image, drawn in zip(found, draws):
        top, left = int(drawn["window_y_px"]), int(drawn["window_x_px"])
        height, width = int(drawn["window_height_px"]), int(drawn["window_width_px"])
        expected = hwc(resized(F.crop(tensor(source), top, left, height, width), (64, 64)))
        difference = numpy.abs(image - expected)
        # Output pixels whose blend stays within the window.
        y = (numpy.arange(64) + 0.5) * height / 64 - 0.5
        x = (numpy.arange(64) + 0.5) * width / 64 - 0.5
        inside = numpy.outer((y >= 0) & (y <= height - 1), (x >= 0) & (x <= width - 1))
        inner = max(inner, difference[inside].max())
        whole = max(whole, difference.max())
    report.at_most("RandomResizedCrop, the same window: largest difference inside", inner, BLEND)
    print(f"       at the window's edge, where it sees on: {whole:.4g}")


compare_resize()
compare_flips()
compare_center_crop()
compare_random_crop()
compare_random_resized_crop()
report.end()
