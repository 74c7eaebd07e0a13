"""Confidence sequences: 95 % intervals that hold at every look at once, for the figures that are shown.

They are Newcombe's intervals (Statistics in Medicine 17:873-890, 1998, method 10; for ratios Donner and Zou, Stat.
Methods Med. Res. 21:347-359, 2012) with the normal mixture boundary in the place of 1.96, which makes of an interval
for one look an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics
52:2613-2640, 2024). At a few hundred requests they are about 1.6 times as wide as the interval of a single look.
Nothing is decided by them: docs/decisions/0007.
"""

from math import ceil, exp, floor, log, log1p, sqrt
from typing import NamedTuple

import numpy as np

from serinus.analysis.quantiles import Distribution
from serinus.metrics.sketch import BINS
from serinus.metrics.snapshot import Cell

ALPHA = 0.05
ONE_LOOK_Z = 1.959964  # the normal distribution's 97.5 % point
TIGHTEST_AT = 1_000.0  # requests at which the boundary is nearest to that of a single look


class Interval(NamedTuple):
    low: float
    high: float


class Estimate(NamedTuple):
    value: float
    interval: Interval


class Sample(NamedTuple):
    """One version's events among `requests`, and its latencies: as they may be weighted, `timed` is their number."""

    events: float
    requests: float
    latency: Distribution
    timed: float


def sample_of(cell: Cell) -> Sample:
    latency, seconds = np.zeros(BINS), np.zeros(BINS)
    for dense, sparse in ((latency, cell.latency), (seconds, cell.latency_seconds)):
        dense[list(sparse)] = list(sparse.values())
    return Sample(cell.errors, cell.valid, Distribution(latency, seconds), float(latency.sum()))


def anytime_z(requests: float, alpha: float = ALPHA) -> float:
    """How many standard errors to either side cover the truth at every look with probability 1 - `alpha`.

    `requests` are the independent observations so far. Robbins' normal mixture, tightest at `TIGHTEST_AT`.
    """
    log_alpha = -2 * log(alpha)
    scaled = max(requests, 1.0) * (log_alpha + log(log_alpha + 1)) / TIGHTEST_AT
    return sqrt((scaled + 1) / scaled * (log1p(scaled) + log_alpha))


def error_rate(sample: Sample) -> Interval | None:
    """Of one version's rate of events in a window that is over: for one look; None without a request."""
    return _share(sample.events, sample.requests, ONE_LOOK_Z).interval if sample.requests > 0 else None


def quantile_ms(sample: Sample, share: float) -> Interval | None:
    """Of one version's latency quantile in a window that is over: for one look.

    None while there are too few requests to bound it on both sides.
    """
    found = _log_quantile(sample, share, ONE_LOOK_Z)
    return Interval(exp(found.interval.low), exp(found.interval.high)) if found else None


def rate_difference(
    canary: Sample, legacy: Sample, *, design_effect: float = 1.0, alpha: float = ALPHA
) -> Interval | None:
    """Of the canary's rate of events minus LEGACY's, as fractions; None while either has no request.

    `design_effect`: by how much the events of like users vary more than independent ones.
    """
    if canary.requests <= 0 or legacy.requests <= 0:
        return None
    z = anytime_z(_together(canary.requests, legacy.requests) / design_effect, alpha) * sqrt(design_effect)
    return _difference(_share(canary.events, canary.requests, z), _share(legacy.events, legacy.requests, z))


def p95_increase(canary: Sample, legacy: Sample, *, alpha: float = ALPHA) -> Interval | None:
    """Of the canary's P95 / LEGACY's - 1; None while either has too few requests (about 260) to bound its P95 above."""
    if canary.timed <= 0 or legacy.timed <= 0:
        return None
    z = anytime_z(_together(canary.timed, legacy.timed), alpha)
    of_canary, of_legacy = (_log_quantile(sample, 0.95, z) for sample in (canary, legacy))
    if of_canary is None or of_legacy is None:
        return None
    low, high = _difference(of_canary, of_legacy)
    return Interval(exp(low) - 1, exp(high) - 1)


def _together(first: float, second: float) -> float:
    """As many requests in one sample would say as much as a difference of two."""
    return first * second / (first + second)


def _difference(first: Estimate, second: Estimate) -> Interval:
    value = first.value - second.value
    below = sqrt((first.value - first.interval.low) ** 2 + (second.interval.high - second.value) ** 2)
    above = sqrt((first.interval.high - first.value) ** 2 + (second.value - second.interval.low) ** 2)
    return Interval(value - below, value + above)


def _share(part: float, whole: float, z: float) -> Estimate:
    """Wilson's score interval (JASA 22:209-212, 1927)."""
    share, square = part / whole, z * z
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = z / (1 + square / whole) * sqrt(max(share * (1 - share), 0.0) / whole + square / (4 * whole * whole))
    return Estimate(share, Interval(max(0.0, middle - half), min(1.0, middle + half)))


def _log_quantile(sample: Sample, share: float, z: float) -> Estimate | None:
    """The logarithm of a latency in ms, between the order statistics whose ranks the binomial distribution allows."""
    count = sample.timed
    spread = z * sqrt(share * (1 - share) * count)
    low_rank, high_rank = floor(share * count - spread), ceil(share * count + spread) + 1
    if low_rank < 1 or high_rank > count:
        return None
    shares = (share, low_rank / count, high_rank / count)
    levels = sample.latency.quantiles_ms(shares)
    if levels is None:
        return None
    value, low, high = map(log, levels)
    return Estimate(value, Interval(low, high))
