"""How many more canary requests a decision needs: evidence grows by a constant number of nats for each, on average."""

import math

import numpy as np

from serinus.analysis.arrays import Floats

_GRID = np.linspace(0.001, 0.999, 400)
_SPREAD_NATS = 0.5  # what the luck of the draw costs at the median


def divergence(p: Floats | float, q: Floats | float) -> Floats:
    """Kullback-Leibler divergence of Bernoulli(p) from Bernoulli(q), in nats."""
    p, q = np.asarray(p, dtype=np.float64), np.clip(q, 1e-12, 1 - 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        here = np.where(p > 0, p * np.log(p / q), 0.0)
        rest = np.where(p < 1, (1 - p) * np.log((1 - p) / (1 - q)), 0.0)
    return np.asarray(here + rest)


def margin_growth(rate: float, margin: float, legacy_per_canary: float) -> float:
    """Nats per canary request of the proof that a canary with LEGACY's error `rate` is not worse by `margin`."""
    return _difference_growth(rate, rate, margin, legacy_per_canary)


def excess_growth(canary_p: float, legacy_p: float, margin: float, legacy_per_canary: float) -> float:
    """Nats per canary request of the proof that the canary's rate is above LEGACY's by more than `margin`."""
    if canary_p <= legacy_p + margin:
        return 0.0
    return _difference_growth(canary_p, legacy_p, margin, legacy_per_canary)


def _difference_growth(canary_p: float, legacy_p: float, margin: float, legacy_per_canary: float) -> float:
    """By the closest pair of rates that are `margin` apart."""
    null = _GRID * min(1 - margin, canary_p + legacy_p + margin)
    return float((divergence(canary_p, null + margin) + legacy_per_canary * divergence(legacy_p, null)).min())


def share_growth(canary_p: float, legacy_p: float, legacy_per_canary: float, odds: Floats) -> float:
    """Nats per canary request of the share test against its best alternative of `odds`, at these rates of events."""
    part = 1 / (1 + legacy_per_canary)
    events = canary_p + legacy_per_canary * legacy_p
    return float((canary_p * np.log(odds) - events * np.log1p(part * (odds - 1))).max())


def limit_growth(rate: float, allowed: float) -> float:
    """Nats per request of the proof that `rate` is above `allowed`."""
    return float(divergence(rate, allowed)) if rate > allowed else 0.0


def requests_until(log_bar: float, log_evidence: float, growth: float) -> float:
    """Canary requests until the evidence reaches the bar (both natural logarithms); infinite without growth."""
    missing = log_bar + _SPREAD_NATS - max(log_evidence, -20.0)
    if missing <= 0:
        return 0.0
    return float(math.ceil(missing / growth)) if growth > 0 else math.inf
