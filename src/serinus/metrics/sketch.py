"""The latency histogram's grid: bins that grow by a constant factor, so that a quantile has a bounded relative error.

Upper edges are 2000 ms · γ^j with γ = 1.1^(1/8), j = -697 … 344: "10 % slower" is exactly `BINS_PER_TENTH` bins and
2 s is exactly an edge, so both questions are answered by counting, without interpolation. The first bin takes
everything up to 0.495 ms, the last everything above 120.5 s; in between a bin's middle is within 0.6 % of every
latency in it. The principle is DDSketch's (Masson, Rim, Lee, VLDB 2019), on a grid that is fixed and so merges by
addition.

A figure that is shown is finer than the grid: the mean of its bin's latencies. Tests count bins, and never use it.
"""

from bisect import bisect_left
from collections.abc import Mapping
from math import ceil, inf, nextafter, sqrt

BINS_PER_TENTH = 8
GROWTH = 1.1 ** (1 / BINS_PER_TENTH)
SLOW_SECONDS = 2.0
SLOW_BIN = 697
"""The bin that ends at 2 s: a request is slow when its bin is a later one."""
BINS = 1_043

_EDGES_MS: tuple[float, ...] = tuple(2_000.0 * 1.1 ** ((j - SLOW_BIN) / BINS_PER_TENTH) for j in range(BINS - 1))
EDGES_SECONDS = tuple(edge / 1_000 for edge in _EDGES_MS)
"""The upper edges of all bins but the last."""
_MIDDLES_MS = (_EDGES_MS[0], *(edge / sqrt(GROWTH) for edge in _EDGES_MS[1:]), _EDGES_MS[-1])


def bin_of(seconds: float) -> int:
    """The bin, 0 … `BINS` - 1: above the upper edge of the one before, up to its own; negatives are in the first."""
    return bisect_left(EDGES_SECONDS, seconds)


def upper_edge_ms(bin_: int) -> float:
    """The greatest latency in the bin; infinite for the last."""
    return _EDGES_MS[bin_] if bin_ < BINS - 1 else inf


def mean_ms(bin_: int, count: float, seconds: float) -> float:
    """The mean of the `count` latencies in a bin that sum up to `seconds`; without a sum (0) the bin's middle.

    It is within the bin whatever the rounding, so that it says of a request what counting does: slow or not.
    """
    if not seconds > 0 or not count > 0:
        return _MIDDLES_MS[bin_]
    above = nextafter(_EDGES_MS[bin_ - 1], inf) if bin_ else 0.0
    return min(max(1_000 * seconds / count, above), upper_edge_ms(bin_))


def quantile(latency: Mapping[int, int], seconds: Mapping[int, float], q: float) -> float | None:
    """The latency in ms that the fraction `q` (0..1) of the requests did not exceed; None without any.

    It is the mean of the bin in which the order statistic of rank ⌈q·n⌉ (nearest rank) is; `seconds` are the sums by
    bin. Exact where the bin's requests all took the same time, within 1 % of the order statistic where they are spread
    evenly, and within the bin, 1.2 %, whatever they are.
    """
    rank = max(1, ceil(q * sum(latency.values())))
    passed = 0
    for bin_ in sorted(latency):
        passed += latency[bin_]
        if passed >= rank:
            return mean_ms(bin_, latency[bin_], seconds.get(bin_, 0.0))
    return None
