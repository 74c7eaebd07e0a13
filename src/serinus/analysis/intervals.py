"""95 % intervals for one window of time, for the eye alone: looking at them again and again does not keep the 95 %.

Of one version, or of the difference of two: the intervals of both, combined by Newcombe's rule (Statistics in Medicine
17:873-890, 1998, method 10), which Donner and Zou carried over to ratios (Stat. Methods Med. Res. 21:347-359, 2012).
"""

from math import ceil, exp, floor, log, sqrt
from typing import NamedTuple

from serinus.metrics.sketch import quantile
from serinus.metrics.snapshot import Cell

Z = 1.959964  # the normal distribution's 97.5 % point


class Interval(NamedTuple):
    low: float
    high: float


class Estimate(NamedTuple):
    value: float
    interval: Interval


def error_rate(cell: Cell) -> Interval | None:
    """Of one version's error rate; None without a valid request."""
    return _share(cell.errors, cell.valid).interval if cell.valid else None


def quantile_ms(cell: Cell, share: float) -> Interval | None:
    """Of one version's latency quantile; None while there are too few requests to bound it on both sides."""
    found = _log_quantile(cell, share)
    return Interval(exp(found.interval.low), exp(found.interval.high)) if found else None


def error_rate_difference(canary: Cell, legacy: Cell) -> Interval | None:
    """Of CANARY's error rate minus LEGACY's, as fractions; None while either has no valid request."""
    if not canary.valid or not legacy.valid:
        return None
    return _difference(_share(canary.errors, canary.valid), _share(legacy.errors, legacy.valid))


def p95_increase(canary: Cell, legacy: Cell) -> Interval | None:
    """Of CANARY's P95 / LEGACY's - 1; None while either has too few requests (about 110) to bound its P95 above."""
    pair = _log_quantile(canary, 0.95), _log_quantile(legacy, 0.95)
    if pair[0] is None or pair[1] is None:
        return None
    low, high = _difference(*pair)  # type: ignore[arg-type]  # mypy does not narrow a tuple by its items
    return Interval(exp(low) - 1, exp(high) - 1)


def _difference(first: Estimate, second: Estimate) -> Interval:
    value = first.value - second.value
    below = sqrt((first.value - first.interval.low) ** 2 + (second.interval.high - second.value) ** 2)
    above = sqrt((first.interval.high - first.value) ** 2 + (second.value - second.interval.low) ** 2)
    return Interval(value - below, value + above)


def _share(part: int, whole: int) -> Estimate:
    """Wilson's score interval (JASA 22:209-212, 1927)."""
    share, square = part / whole, Z * Z
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = Z / (1 + square / whole) * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return Estimate(share, Interval(max(0.0, middle - half), min(1.0, middle + half)))


def _log_quantile(cell: Cell, share: float) -> Estimate | None:
    """The logarithm of a latency in ms, between the order statistics whose ranks the binomial distribution allows."""
    count = sum(cell.latency.values())
    spread = Z * sqrt(share * (1 - share) * count)
    low_rank, high_rank = floor(share * count - spread), ceil(share * count + spread) + 1
    if low_rank < 1 or high_rank > count:
        return None
    shares = (share, low_rank / count, high_rank / count)
    value, low, high = (log(quantile(cell.latency, cell.latency_seconds, each) or 1.0) for each in shares)
    return Estimate(value, Interval(low, high))
