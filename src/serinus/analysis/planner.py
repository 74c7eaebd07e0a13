"""How many more canary requests a decision needs: evidence grows by a constant number of nats for each, on average."""

import math
from collections.abc import Iterable

_SPREAD_NATS = 0.5  # what the luck of the draw costs at the median
_HALVINGS = 24


def divergence(p: float, q: float) -> float:
    """Kullback-Leibler divergence of Bernoulli(p) from Bernoulli(q), in nats."""
    q = min(max(q, 1e-12), 1 - 1e-12)
    here = p * math.log(p / q) if p > 0 else 0.0
    return here + ((1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0)


def margin_growth(rate: float, margin: float, legacy_per_canary: float) -> float:
    """Nats per canary request of the proof that a canary with LEGACY's error `rate` is not worse by `margin`."""
    return _difference_growth(rate, rate, margin, legacy_per_canary)


def excess_growth(canary_p: float, legacy_p: float, margin: float, legacy_per_canary: float) -> float:
    """Nats per canary request of the proof that the canary's rate is above LEGACY's by more than `margin`."""
    if canary_p <= legacy_p + margin:
        return 0.0
    return _difference_growth(canary_p, legacy_p, margin, legacy_per_canary)


def _difference_growth(canary_p: float, legacy_p: float, margin: float, legacy_per_canary: float) -> float:
    """By the closest pair of rates that are `margin` apart, found where the slope of the convex divergence is nil."""
    low, high = 0.0, min(1 - margin, canary_p + legacy_p + margin)
    for _ in range(_HALVINGS):
        null = (low + high) / 2
        canary = (null + margin - canary_p) / ((null + margin) * (1 - null - margin))
        slope = canary + legacy_per_canary * (null - legacy_p) / (null * (1 - null))
        low, high = (low, null) if slope > 0 else (null, high)
    null = (low + high) / 2
    return divergence(canary_p, null + margin) + legacy_per_canary * divergence(legacy_p, null)


def share_growth(canary_p: float, legacy_p: float, legacy_per_canary: float, odds: Iterable[float]) -> float:
    """Nats per canary request of the share test against its best alternative of `odds`, at these rates of events."""
    part = 1 / (1 + legacy_per_canary)
    events = canary_p + legacy_per_canary * legacy_p
    return max(canary_p * math.log(each) - events * math.log1p(part * (each - 1)) for each in odds)


def limit_growth(rate: float, allowed: float) -> float:
    """Nats per request of the proof that `rate` is above `allowed`."""
    return divergence(rate, allowed) if rate > allowed else 0.0


def requests_until(log_bar: float, log_evidence: float, growth: float) -> float:
    """Canary requests until the evidence reaches the bar (both natural logarithms); infinite without growth."""
    missing = log_bar + _SPREAD_NATS - max(log_evidence, -20.0)
    if missing <= 0:
        return 0.0
    return float(math.ceil(missing / growth)) if growth > 0 else math.inf
