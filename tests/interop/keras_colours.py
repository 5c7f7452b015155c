"""Channel shift and brightness against Keras' functions, and their draws against
ImageDataGenerator.get_random_transform."""

from probe import Probe, Report, needs, picture
from two_samples import largest_gap

numpy, scipy, pillow, keras = needs("numpy", "scipy", "PIL", "keras")
try:
    from keras.src.legacy.preprocessing import image as keras_image
except ImportError:
    needs("keras.src.legacy.preprocessing.image")

COUNT = 10_000
GAP = 2.0  # as in torchvision_draws.py
BLEND = 1e-4
BYTES = 1.0  # Keras' brightness goes through a picture of bytes, and cuts fractions off

probe, report = Probe(), Report()


def compare_channel_shift():
    """Keras clips to the least and the largest value of the picture: here these are 0 and 255."""
    source = picture(40, 56)
    source[0, 0], source[0, 1] = 0, 255
    found, draws = probe.augment({"channel_shift_range": 90}, source, (40, 56), count=20)
    largest = max(numpy.abs(image - keras_image.apply_channel_shift(
        source.astype(numpy.float32), drawn["channel_shift"], channel_axis=2)).max()
        for image, drawn in zip(found, draws))
    report.at_most("apply_channel_shift: largest difference", largest, BLEND)


def compare_brightness():
    source = picture(40, 56)
    found, draws = probe.augment({"brightness_range": [0.2, 1.9]}, source, (40, 56), count=20)
    largest = max(numpy.abs(image - keras_image.apply_brightness_shift(
        source.astype(numpy.float32), drawn["brightness"], scale=False)).max()
        for image, drawn in zip(found, draws))
    report.at_most("apply_brightness_shift: largest difference", largest, BYTES)


def compare_draws():
    ours = probe.draws({"channel_shift_range": 30.0, "brightness_range": [0.6, 1.7]}, (8, 8), (8, 8),
                       count=COUNT)
    generator = keras_image.ImageDataGenerator(channel_shift_range=30.0,
                                               brightness_range=[0.6, 1.7])
    numpy.random.seed(4)
    theirs = [generator.get_random_transform((8, 8, 3)) for _ in range(COUNT)]
    for name, other in (("channel_shift", "channel_shift_intensity"), ("brightness", "brightness")):
        report.at_most(f"get_random_transform: {name}",
                       largest_gap(numpy, ours[name], numpy.array([one[other] for one in theirs])),
                       GAP)


compare_channel_shift()
compare_brightness()
compare_draws()
report.end()
