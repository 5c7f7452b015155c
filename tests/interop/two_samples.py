"""Whether two samples may come from one distribution."""

import math


def largest_gap(numpy, one, other):
    """Kolmogorov and Smirnov's statistic times sqrt(n m / (n + m)): above 2.0 once in 1,500 times when
    both come from one continuous distribution, less often from one with ties. P(above t) is about
    2 exp(-2 t^2)."""
    one, other = numpy.sort(one), numpy.sort(other)
    values = numpy.concatenate([one, other])
    gap = numpy.abs(numpy.searchsorted(one, values, side="right") / len(one)
                    - numpy.searchsorted(other, values, side="right") / len(other)).max()
    return gap * math.sqrt(len(one) * len(other) / (len(one) + len(other)))


def rate_gap(one, other):
    """How many standard deviations of their difference two rates lie apart."""
    a, b = sum(one) / len(one), sum(other) / len(other)
    pooled = (sum(one) + sum(other)) / (len(one) + len(other))
    return abs(a - b) / math.sqrt(pooled * (1 - pooled) * (1 / len(one) + 1 / len(other)))
