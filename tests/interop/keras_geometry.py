"""Pixels against Keras' apply_affine_transform, with the corrections that augment/README.md states:
matrices act on (row, column), and the centre is (n - 1) / 2 of each axis."""

import warnings

from probe import Probe, Report, needs, picture

numpy, scipy, keras = needs("numpy", "scipy", "keras")
try:
    from keras.src.legacy.preprocessing import image as keras_image
except ImportError:
    needs("keras.src.legacy.preprocessing.image")
warnings.simplefilter("ignore", DeprecationWarning)  # of SciPy, for a name that Keras uses

# SciPy blends in float64 and rounds to float32; here positions are float64 and blends float32.
BLEND = 1e-4

probe, report = Probe(), Report()

uncorrected_center = keras_image.transform_matrix_offset_center


def apply_affine(image, drawn, fill_mode, order=1):
    """Keras' function on (row, column): with row_axis above col_axis it does not swap its matrix. Then
    it takes the sides for each other, which matters unless they are equal."""
    keras_image.transform_matrix_offset_center = (
        lambda matrix, height, width: uncorrected_center(matrix, width, height))
    try:
        return keras_image.apply_affine_transform(
            image, theta=drawn["rotation_deg"], tx=drawn["shift_y_px"], ty=drawn["shift_x_px"],
            shear=drawn["shear_deg"], zx=drawn["zoom_y"], zy=drawn["zoom_x"], row_axis=1,
            col_axis=0, channel_axis=2, fill_mode=fill_mode, order=order)
    finally:
        keras_image.transform_matrix_offset_center = uncorrected_center


def source_positions(drawn, height, width):
    """Where each output pixel is sampled, [2, height, width] of (row, column), from the formula
    C R T S Z C^-1 that the documents give."""
    a, s = numpy.radians(drawn["rotation_deg"]), numpy.radians(drawn["shear_deg"])
    rotation = numpy.array([[numpy.cos(a), -numpy.sin(a)], [numpy.sin(a), numpy.cos(a)]])
    shear = numpy.array([[1, -numpy.sin(s)], [0, numpy.cos(s)]])
    zoom = numpy.diag([drawn["zoom_y"], drawn["zoom_x"]])
    center = numpy.array([(height - 1) / 2, (width - 1) / 2]).reshape(2, 1, 1)
    shift = numpy.array([drawn["shift_y_px"], drawn["shift_x_px"]]).reshape(2, 1, 1)
    at = numpy.mgrid[0:height, 0:width] - center
    at = numpy.einsum("ij,jyx->iyx", shear @ zoom, at) + shift
    return numpy.einsum("ij,jyx->iyx", rotation, at) + center


def compare(what, settings, sides, fill_mode, count=20):
    """Both fill beyond the outermost centres in the same way but for `constant`, which Keras starts
    there and this half a pixel further out; `wrap` of SciPy has a period of n - 1, and is compared
    inside only."""
    source = picture(*sides)
    found, draws = probe.augment({**settings, "fill_mode": fill_mode}, source, sides, count=count)
    largest, num_compared = 0.0, 0
    for image, drawn in zip(found, draws):
        expected = apply_affine(source.astype(numpy.float32), drawn, fill_mode)
        if drawn["is_flipped"]:
            expected = expected[:, ::-1]
        positions = source_positions(drawn, *sides)
        if drawn["is_flipped"]:
            positions = positions[:, :, ::-1]
        last = numpy.array(sides).reshape(2, 1, 1) - 1
        is_compared = ((positions >= 0) & (positions <= last)).all(axis=0)
        if fill_mode == "constant":
            is_compared |= ((positions < -0.5) | (positions > last + 0.5)).any(axis=0)
        elif fill_mode != "wrap":
            is_compared[:] = True
        # Within a rounding of a place where the fill changes, either side is right.
        fraction = numpy.minimum(numpy.abs(positions), numpy.abs(positions - last)).min(axis=0)
        is_compared &= fraction > 1e-6
        num_compared += is_compared.sum()
        largest = max(largest, numpy.abs(image - expected)[is_compared].max())
    share = num_compared / (count * sides[0] * sides[1])
    report.at_most(f"{what}, {fill_mode}, {sides[0]} x {sides[1]}, {share:.0%} of the pixels: "
                   "largest difference", largest, BLEND)


def compare_as_published():
    """Keras 3 without a correction, where that is harmless: a square picture, no shear. It swaps the
    axes of its matrix: a turn goes the other way, a shift and a zoom take the other axis."""
    source = picture(48, 48)
    settings = {"rotation_range": 30, "width_shift_range": 0.2, "height_shift_range": 0.1,
                "zoom_range": [0.7, 1.3]}
    found, draws = probe.augment(settings, source, (48, 48), count=20)
    largest = 0.0
    for image, drawn in zip(found, draws):
        expected = keras_image.apply_affine_transform(
            source.astype(numpy.float32), theta=-drawn["rotation_deg"], tx=drawn["shift_x_px"],
            ty=drawn["shift_y_px"], zx=drawn["zoom_x"], zy=drawn["zoom_y"], row_axis=0, col_axis=1,
            channel_axis=2, fill_mode="nearest")
        largest = max(largest, numpy.abs(image - expected).max())
    report.at_most(f"Keras {keras.__version__} as published, 48 x 48: largest difference", largest,
                   BLEND)


EVERYTHING = {"rotation_range": 40, "width_shift_range": 0.2, "height_shift_range": 0.3,
              "shear_range": 20, "zoom_range": [0.7, 1.4], "horizontal_flip": 0.5}
for sides in ((48, 48), (40, 56)):
    for fill_mode in ("nearest", "reflect", "constant", "wrap"):
        compare("rotation, shift, shear, zoom, flip", EVERYTHING, sides, fill_mode)
    compare("rotation", {"rotation_range": 180}, sides, "nearest")
    compare("shift by pixels", {"width_shift_range": 7, "height_shift_range": 3}, sides, "nearest")
    compare("shear", {"shear_range": 45}, sides, "nearest")
    compare("zoom", {"zoom_range": [0.5, 2]}, sides, "nearest")
compare_as_published()
report.end()
