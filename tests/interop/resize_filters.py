"""Nearest, antialiased bilinear and bicubic resizing against torchvision (torch) and Pillow."""

from probe import Probe, Report, needs, picture

numpy, torch, torchvision, pillow = needs("numpy", "torch", "torchvision", "PIL")
from PIL import Image  # noqa: E402
from torchvision.transforms import InterpolationMode  # noqa: E402
from torchvision.transforms import functional as F  # noqa: E402

# Sums of up to a few hundred float32 products of weights and values of up to 255.
SUMS = 1e-2

probe, report = Probe(), Report()

SIDES = (((48, 64), (40, 56)), ((200, 300), (40, 56)), ((33, 70), (24, 60)), ((17, 23), (64, 48)))


def hwc(image):
    return image.permute(1, 2, 0).numpy()


def torch_resized(source, sides, mode, antialias):
    image = torch.from_numpy(source).permute(2, 0, 1).float()
    return hwc(F.resize(image, list(sides), mode, antialias=antialias))


def pillow_resized(source, sides, resampling):
    channels = [numpy.asarray(Image.fromarray(channel.astype(numpy.float32)).resize(
        (sides[1], sides[0]), resampling)) for channel in numpy.moveaxis(source, 2, 0)]
    return numpy.stack(channels, axis=2)


def ours(interpolation, source, sides):
    return probe.augment({"interpolation": interpolation}, source, sides)[0][0]


def differ(what, sides, found, expected, bound):
    (height, width), (to_height, to_width) = sides
    report.differs_by_at_most(f"{what}, {height} x {width} to {to_height} x {to_width}", found,
                              expected, bound)


def is_off_borders(source_side, side):
    """Whether each position lies off the border of two pixels."""
    corner = (numpy.arange(side) + 0.5) * source_side / side
    return numpy.abs(corner - numpy.rint(corner)) > 1e-6


for source_sides, sides in SIDES:
    source = picture(*source_sides)
    smooth = ours("bilinear_antialias", source, sides)
    differ("bilinear, antialiased, torchvision", (source_sides, sides), smooth,
           torch_resized(source, sides, InterpolationMode.BILINEAR, True), SUMS)
    differ("bilinear, antialiased, Pillow", (source_sides, sides), smooth,
           pillow_resized(source, sides, Image.Resampling.BILINEAR), SUMS)
    # Half-pixel centres: torch's "nearest" of old takes corners, "nearest-exact" is Pillow's.
    # A position between two pixels belongs to either.
    nearest = ours("nearest", source, sides)
    is_clear = numpy.outer(*(is_off_borders(*pair) for pair in zip(source_sides, sides)))
    what = f"{is_clear.sum()} of {is_clear.size} pixels"
    differ(f"nearest, torchvision, {what}", (source_sides, sides), nearest[is_clear],
           torch_resized(source, sides, InterpolationMode.NEAREST_EXACT, False)[is_clear], 0)
    differ(f"nearest, Pillow, {what}", (source_sides, sides), nearest[is_clear],
           pillow_resized(source, sides, Image.Resampling.NEAREST)[is_clear], 0)

# Keys' cubic of a = -0.5, clamped to 0 to 255, is Pillow's; torch's without antialias has a = -0.75, and
# Pillow's is antialiased, so they meet where nothing shrinks. All leave out what lies beyond the edge
# and let the other weights grow.
for source_sides, sides in (((17, 23), (64, 48)), ((40, 56), (41, 80))):
    source = picture(*source_sides)
    cubic = ours("bicubic", source, sides)
    expected = pillow_resized(source, sides, Image.Resampling.BICUBIC).clip(0, 255)
    differ("bicubic, Pillow", (source_sides, sides), cubic, expected, SUMS)
    theirs = torch_resized(source, sides, InterpolationMode.BICUBIC, True).clip(0, 255)
    differ("bicubic, torchvision", (source_sides, sides), cubic, theirs, SUMS)
report.end()
