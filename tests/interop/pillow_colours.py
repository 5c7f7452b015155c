"""Colours against Pillow's ImageEnhance, which stores whole numbers after each step."""

from probe import Probe, Report, needs, picture

numpy, pillow = needs("numpy", "PIL")
from PIL import Image, ImageEnhance  # noqa: E402

# Pillow's blend cuts fractions off: up to 1. Its gray is a rounded byte, and the mean of it a whole
# number: times a factor of up to 1.9 or 2, another half.
BYTES = 2.0

probe, report = Probe(), Report()


def compare(what, settings, name, enhancer):
    source = picture(40, 56)
    found, draws = probe.augment(settings, source, (40, 56), count=20)
    largest = 0.0
    for image, drawn in zip(found, draws):
        expected = numpy.asarray(enhancer(Image.fromarray(source)).enhance(drawn[name]))
        largest = max(largest, numpy.abs(image - expected).max())
    report.at_most(f"ImageEnhance.{what}: largest difference", largest, BYTES)


compare("Brightness", {"brightness_range": [0.2, 1.9]}, "brightness", ImageEnhance.Brightness)
compare("Contrast", {"contrast_range": [0.2, 1.9]}, "contrast", ImageEnhance.Contrast)
compare("Color", {"saturation_range": [0, 2]}, "saturation", ImageEnhance.Color)
report.end()
