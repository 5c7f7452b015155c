"""Values by a formula that tests/train/backend/even_values.h has too: both sides know them without a file."""

from probe import needs

(numpy,) = needs("numpy")


def even(name, count, first=0):
    """Values from -1 to 1 of the places from `first` on: murmur3's last step over FNV-1a of the name and the
    place."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = numpy.arange(first, first + count, dtype=numpy.uint64) * 2654435761 + seed
    x = x.astype(numpy.uint32)
    x = (x ^ (x >> 16)) * numpy.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * numpy.uint32(0xC2B2AE35)
    return (x ^ (x >> 16)) / 2.0**31 - 1
