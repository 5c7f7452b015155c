"""What is drawn against Keras' ImageDataGenerator.get_random_transform, 10,000 times: two-sample tests
with fixed thresholds. Both are seeded, so a result is the same at every run."""

from probe import Probe, Report, needs
from two_samples import largest_gap, rate_gap

numpy, scipy, keras = needs("numpy", "scipy", "keras")
try:
    from keras.src.legacy.preprocessing.image import ImageDataGenerator
except ImportError:
    needs("keras.src.legacy.preprocessing.image")

COUNT = 10_000
GAP, RATE = 2.0, 3.5  # as in torchvision_draws.py

probe, report = Probe(), Report()


def keras_draws(shape, **settings):
    generator = ImageDataGenerator(**settings)
    numpy.random.seed(3)
    rows = [generator.get_random_transform(shape) for _ in range(COUNT)]
    return {key: numpy.array([row[key] for row in rows], dtype=float) for key in rows[0]
            if rows[0][key] is not None}


# Keras' names of what acts on (row, column) beside those of the probe.
PAIRS = (("rotation_deg", "theta"), ("shift_y_px", "tx"), ("shift_x_px", "ty"),
         ("shear_deg", "shear"), ("zoom_y", "zx"), ("zoom_x", "zy"))


def compare_ranges():
    settings = {"rotation_range": 25.0, "width_shift_range": 0.2, "height_shift_range": 0.1,
                "shear_range": 15.0, "zoom_range": [0.8, 1.3]}
    ours = probe.draws({**settings, "horizontal_flip": 0.5, "vertical_flip": 0.5}, (60, 80),
                       (60, 80), count=COUNT)
    theirs = keras_draws((60, 80, 3), **settings, horizontal_flip=True, vertical_flip=True)
    for name, other in PAIRS:
        report.at_most(f"get_random_transform: {name}", largest_gap(numpy, ours[name], theirs[other]),
                       GAP)
        for end, value in (("least", min(ours[name])), ("most", max(ours[name]))):
            reference = (min if end == "least" else max)(theirs[other])
            width = max(theirs[other]) - min(theirs[other])
            # Both come within 1/1,000 of the range's end in 10,000 draws, but for 1 in 22,000 times.
            report.at_most(f"get_random_transform: {name}, {end}, of the range",
                           abs(value - reference) / width, 2e-3)
    for name, other in (("is_flipped", "flip_horizontal"),
                        ("is_flipped_vertically", "flip_vertical")):
        report.at_most(f"get_random_transform: {name}",
                       rate_gap(list(ours[name]), list(theirs[other])), RATE)
    # Values are independent of each other: correlations of 10,000 pairs are within 4 / sqrt(10,000).
    values = numpy.stack([ours[name].astype(float) for name, _ in PAIRS])
    correlations = numpy.abs(numpy.corrcoef(values) - numpy.eye(len(PAIRS)))
    report.at_most("get_random_transform: largest correlation of two values", correlations.max(),
                   0.04)


def compare_zoom_as_one_number():
    """zoom_range = z is [1 - z, 1 + z] in both."""
    ours = probe.draws({"zoom_range": 0.3}, (60, 80), (60, 80), count=COUNT)
    theirs = keras_draws((60, 80, 3), zoom_range=0.3)
    report.at_most("zoom_range = 0.3", largest_gap(numpy, ours["zoom_x"], theirs["zy"]), GAP)


def compare_shift_by_pixels():
    """A range from 1 on is in pixels, drawn evenly in both where it is no whole number."""
    ours = probe.draws({"width_shift_range": 7.5}, (60, 80), (60, 80), count=COUNT)
    theirs = keras_draws((60, 80, 3), width_shift_range=7.5)["ty"]
    report.at_most("width_shift_range = 7.5", largest_gap(numpy, ours["shift_x_px"], theirs), GAP)


compare_ranges()
compare_zoom_as_one_number()
compare_shift_by_pixels()
report.end()
