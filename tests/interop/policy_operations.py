"""The operations of a policy as the probe draws them, and as torchvision's _apply_op takes them."""

COLOURS = {"Brightness", "Color", "Contrast", "Sharpness"}
TRANSLATIONS = {"TranslateX", "TranslateY"}
GEOMETRY = {"ShearX", "ShearY", "Rotate"} | TRANSLATIONS


def named(operations):
    """[{"operation": "Rotate", "angle_deg": 9.0}] as [("Rotate", 9.0)]; 0 where nothing is drawn."""
    return [(one["operation"], next((value for key, value in one.items() if key != "operation"), 0.0))
            for one in operations]


def magnitude(name, amount, space):
    """The one of torchvision's table that was drawn as `amount`; whole pixels as they are."""
    magnitudes, is_signed = space[name]
    if magnitudes.ndim == 0:
        return 0.0
    if name in TRANSLATIONS:
        return amount
    values = magnitudes.reshape(-1).tolist()
    values += [-value for value in values] if is_signed else []
    drawn = amount - 1 if name in COLOURS else amount
    return min(values, key=lambda value: abs(value - drawn))
