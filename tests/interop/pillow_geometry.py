"""Pixels against Pillow's Image.transform(AFFINE, BILINEAR), whole pictures with their borders: inside
is what the pixels cover, blends repeat the outermost pixel, outside is black, as fill mode constant."""

from probe import Probe, Report, needs, picture

numpy, pillow = needs("numpy", "PIL")
from PIL import Image  # noqa: E402

# Pillow computes in float64 and stores float32; here blends are float32.
BLEND = 1e-4

probe, report = Probe(), Report()


def about(center, matrix):
    """The 3 x 3 map of (x, y) that applies `matrix` about `center`."""
    whole = numpy.eye(3)
    whole[:2, :2] = matrix
    shift = numpy.eye(3)
    shift[:2, 2] = center
    back = numpy.eye(3)
    back[:2, 2] = -numpy.asarray(center)
    return shift @ whole @ back


def output_to_source(drawn, sides, source_sides):
    """From the corner of the output to that of the source, in the units of Pillow: pixel 0 covers 0
    to 1. The steps and their order are those of augment/README.md."""
    (height, width), (source_height, source_width) = sides, source_sides
    center = (width / 2, height / 2)
    a, s = numpy.radians(drawn["rotation_deg"]), numpy.radians(drawn["shear_deg"])
    flip = about(center, numpy.diag([-1.0 if drawn["is_flipped"] else 1.0,
                                     -1.0 if drawn["is_flipped_vertically"] else 1.0]))
    zoom = about(center, numpy.diag([drawn["zoom_x"], drawn["zoom_y"]]))
    shear = about(center, [[numpy.cos(s), 0], [-numpy.sin(s), 1]])
    shift = numpy.eye(3)
    shift[:2, 2] = drawn["shift_x_px"], drawn["shift_y_px"]
    rotation = about(center, [[numpy.cos(a), numpy.sin(a)], [-numpy.sin(a), numpy.cos(a)]])
    stretch = numpy.diag([source_width / width, source_height / height, 1.0])
    return stretch @ rotation @ shift @ shear @ zoom @ flip


def transformed(pixels_hwc, matrix, sides):
    channels = [numpy.asarray(Image.fromarray(channel.astype(numpy.float32)).transform(
        (sides[1], sides[0]), Image.Transform.AFFINE, matrix[:2].flatten().tolist(),
        Image.Resampling.BILINEAR)) for channel in numpy.moveaxis(pixels_hwc, 2, 0)]
    return numpy.stack(channels, axis=2)


def is_near_border(matrix, sides, source_sides):
    """Where a rounding decides whether a position lies inside."""
    y, x = numpy.mgrid[0:sides[0], 0:sides[1]] + 0.5
    at = numpy.einsum("ij,jyx->iyx", matrix, numpy.stack([x, y, numpy.ones_like(x)]))[:2]
    last = numpy.array([source_sides[1], source_sides[0]]).reshape(2, 1, 1)
    return numpy.minimum(numpy.abs(at), numpy.abs(at - last)).min(axis=0) < 1e-6


def compare(what, settings, source_sides, sides, count=20):
    source = picture(*source_sides)
    found, draws = probe.augment({**settings, "fill_mode": "constant"}, source, sides, count=count)
    largest = 0.0
    for image, drawn in zip(found, draws):
        matrix = output_to_source(drawn, sides, source_sides)
        difference = numpy.abs(image - transformed(source, matrix, sides)).max(axis=2)
        difference[is_near_border(matrix, sides, source_sides)] = 0
        largest = max(largest, difference.max())
    report.at_most(f"{what}, {source_sides[0]} x {source_sides[1]} to {sides[0]} x {sides[1]}: "
                   "largest difference", largest, BLEND)


EVERYTHING = {"rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 0.3,
              "shear_range": 20, "zoom_range": [0.7, 1.4], "horizontal_flip": 0.5,
              "vertical_flip": 0.5}
for source_sides, sides in (((40, 56), (40, 56)), ((90, 131), (40, 56)), ((17, 23), (64, 48))):
    compare("rotation, shift, shear, zoom, flips", EVERYTHING, source_sides, sides)
    compare("rotation", {"rotation_range": 180}, source_sides, sides)
    compare("shift and zoom", {"width_shift_range": 0.3, "zoom_range": 0.5}, source_sides, sides)
report.end()
