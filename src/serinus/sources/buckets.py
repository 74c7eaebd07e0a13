"""From a histogram's few wide buckets to the grid of `metrics.sketch`."""

from collections import Counter
from collections.abc import Mapping
from math import inf, nextafter

from serinus.metrics.sketch import BINS, bin_of

POINTS = 1_024
_BITS = POINTS.bit_length() - 1


def _reversed(number: int) -> int:
    return int(f"{number:0{_BITS}b}"[::-1], 2)


_ORDER = tuple((_reversed(number) + 0.5) / POINTS for number in range(POINTS))
"""Van der Corput's sequence: however many of its points one takes, they are spread evenly over 0..1."""


class Bucket:
    """The requests above `lower` seconds up to `upper`, taken to be spread evenly, as `histogram_quantile` takes them.

    An edge of the grid stays one: where a bucket ends at 2 s no request changes sides there. Of what is above the last
    finite edge no more is known than that, so it stands just above.
    """

    def __init__(self, lower: float, upper: float) -> None:
        beyond = nextafter(lower, inf)
        width = 0.0 if upper == inf else upper - lower
        places = (min(max(lower + width * part, beyond), max(upper, beyond)) for part in _ORDER)
        self._bins = tuple(min(bin_of(place), BINS - 2) for place in places)
        self._taken = 0

    def spread(self, count: int) -> Mapping[int, int]:
        """The next `count` requests by bin; single ones that come one after the other are spread as well."""
        rounds, rest = divmod(count, POINTS)
        found = Counter(self._bins) if rounds else Counter[int]()
        for bin_ in found:
            found[bin_] *= rounds
        found.update(self._bins[(self._taken + index) % POINTS] for index in range(rest))
        self._taken = (self._taken + rest) % POINTS
        return found
