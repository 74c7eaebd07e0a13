"""Latency histograms as arrays of `BINS`: quantiles, tails, and thresholds that are edges of the grid.

A latency comparison is a comparison of proportions: an event is a request slower than a quantile of LEGACY's past, so
that the same tests serve errors and latency.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from serinus.analysis.arrays import Floats
from serinus.metrics.sketch import BINS, BINS_PER_TENTH, bin_of, mean_ms

P95 = 0.95
LARGEST_THRESHOLD = BINS - 2  # the last finite edge
_TOLERANCE = 1e-9


def thresholds(latency: Floats, qs: Sequence[float]) -> NDArray[np.intp]:
    """The bins that hold the quantiles `qs` (0..1) of a histogram that is not empty; events lie beyond them."""
    cumulated = np.cumsum(np.maximum(latency, 0.0))
    bins = np.searchsorted(cumulated, np.asarray(qs) * cumulated[-1] * (1 - _TOLERANCE))
    return np.asarray(np.minimum(bins, LARGEST_THRESHOLD), dtype=np.intp)


class Distribution:
    """A histogram and the sums of seconds in its bins, cumulated once for any number of questions; weights need not be
    whole.
    """

    __slots__ = ("_counts", "_cumulated", "_seconds", "requests")

    def __init__(self, latency: Floats, seconds: Floats) -> None:
        self._counts, self._seconds = np.maximum(latency, 0.0), seconds
        self._cumulated = self._counts.cumsum()
        self.requests = float(self._cumulated[-1])

    def quantiles_ms(self, qs: Sequence[float]) -> tuple[float, ...] | None:
        """As `metrics.sketch.quantile` has them; None for an empty histogram."""
        if self.requests <= 0:
            return None
        bins = self._cumulated.searchsorted([q * self.requests * (1 - _TOLERANCE) for q in qs]).tolist()
        return tuple(mean_ms(bin_, float(self._counts[bin_]), float(self._seconds[bin_])) for bin_ in bins)

    def quantile_ms(self, q: float) -> float | None:
        found = self.quantiles_ms((q,))
        return None if found is None else found[0]


def quantile_ms(latency: Floats, seconds: Floats, q: float) -> float | None:
    """The `q` quantile, as `metrics.sketch.quantile` has it; None for an empty histogram. Weights need not be whole."""
    return Distribution(latency, seconds).quantile_ms(q)


def slower(latency: Floats, threshold: int) -> Floats:
    """Requests above the upper edge of the bin `threshold`, within 0 and all; any leading axes are kept."""
    beyond, seen = latency[..., threshold + 1 :].sum(axis=-1), latency.sum(axis=-1)
    return np.asarray(np.maximum(np.minimum(beyond, seen), 0.0))


def bins_of_increase(increase: float) -> float:
    """A relative increase as a number of bins: 0.1 is exactly `BINS_PER_TENTH`."""
    return BINS_PER_TENTH * math.log1p(increase) / math.log(1.1)


def threshold_of(milliseconds: float) -> int:
    """The bin that ends at `milliseconds`, or first after it."""
    return min(bin_of(milliseconds / 1_000 * (1 - _TOLERANCE)), LARGEST_THRESHOLD)


def p95s_ms(latency: Floats, seconds: Floats) -> tuple[float, float] | None:
    """P95 of both rows of 2 x `BINS`; None when either is empty."""
    legacy, canary = (quantile_ms(*rows, P95) for rows in zip(latency, seconds, strict=True))
    return None if legacy is None or canary is None else (legacy, canary)


def p95_increase(latency: Floats, seconds: Floats) -> float | None:
    """(canary - LEGACY) / LEGACY of P95, from 2 x `BINS`; None when either is empty."""
    levels = p95s_ms(latency, seconds)
    return None if levels is None else levels[1] / levels[0] - 1
