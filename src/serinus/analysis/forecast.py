"""Before a rollout: how many canary requests its gates will take, and how many it takes to find a regression.

Requests are canary requests. Evidence is taken to grow by the same number of nats for each (`analysis.planner`), so a
forecast is a median, good to a factor of two, of a service that stays as it is. Infinite means never. A `share` is the
canary's, above 0 and below 1.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from serinus.analysis import guards, planner, quantiles
from serinus.analysis.accumulator import (
    EVERY_EVALUATION_UP_TO,
    FIRST_MASS,
    SECONDS_BETWEEN_BEGINNINGS,
    beginning_weight,
)
from serinus.analysis.alpha import comparison_weights, limit_weights
from serinus.analysis.arrays import Floats
from serinus.analysis.comparison import (
    ERROR_ODDS,
    LATENCY_ODDS,
    MIN_PAST_LATENCIES,
    PROMOTION_LOG_PRIOR,
    PROMOTION_ODDS,
    QUANTILES,
    STRICT_EXCESS,
    Past,
    Promotion,
    Rollback,
)
from serinus.analysis.criteria import Criteria
from serinus.analysis.limits import LIMIT_ODDS, allowed
from serinus.analysis.quantiles import P95
from serinus.analysis.tables import LEGACY, Count, slots_of
from serinus.analysis.tabulation import tabulate
from serinus.analysis.verdict import Metric
from serinus.analysis.worse import EXTRA_QUANTILES, EXTRA_QUANTILES_FROM
from serinus.metrics.sketch import BINS, EDGES_SECONDS
from serinus.metrics.snapshot import SLICE_SECONDS, Cell, merge

NO_GROWTH = 1e-12  # nats: what rounding leaves of nothing
Z_95 = 1.645  # the normal distribution's 95 % point


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What LEGACY is like: errors as a fraction, a latency histogram of `BINS`, and by how much the errors of its
    users vary more than those of independent requests (1: not at all).
    """

    error_rate: float
    latency: Floats
    design_effect: float = 1.0

    @property
    def p95_ms(self) -> float:
        """Between the edges of its bin, as if latencies were spread evenly there."""
        return float(1_000 * np.interp(P95, np.cumsum(self.latency)[:-1] / self.latency.sum(), EDGES_SECONDS))


@dataclass(frozen=True, slots=True)
class Regression:
    """A canary that is worse: `error_rate` is added to LEGACY's, every latency multiplied by `slowdown`."""

    error_rate: float = 0.0
    slowdown: float = 1.0


def lognormal(p95_ms: float, spread: float) -> Floats:
    """A latency histogram (of parts of 1) by its P95 and `spread`, P95 over the median (above 1)."""
    sigma = math.log(spread) / Z_95
    scores = [(math.log(edge * 1_000 / p95_ms) + math.log(spread)) / sigma for edge in EDGES_SECONDS]
    cumulated = [0.0, *(0.5 * math.erfc(-score / math.sqrt(2)) for score in scores), 1.0]
    return np.diff(np.array(cumulated))


def measured(cells: Iterable[Cell]) -> Baseline | None:
    """The baseline of LEGACY's recorded cells; None without a usable count of a valid request and a latency."""
    cell = merge(cells)
    if cell.error_rate is None or not cell.latency:
        return None
    strata = tabulate([(cell, Cell())])
    if strata is None:
        return None
    table = strata.summed()
    past = Past(table.counts[LEGACY], table.latency[LEGACY], slots_of(table.slots[LEGACY], Count.ERRORS))
    return Baseline(cell.error_rate, table.latency[LEGACY], past.design_effect)


def observed_requests(baseline: Baseline, criteria: Criteria, share: float) -> tuple[float, float]:
    """Until 95 of 100 canaries that equal LEGACY are observed within the margins: (error rate, P95)."""
    rate, canary_per_legacy = baseline.error_rate, share / (1 - share)
    errors = rate * (1 - rate) * baseline.design_effect / criteria.error_rate_margin**2
    beyond, usual = _tails_at_margin(baseline, criteria)
    slow = usual * (1 - usual) / (usual - beyond) ** 2 if usual > beyond else math.inf
    return errors * (1 + canary_per_legacy) * Z_95**2, slow * (1 + canary_per_legacy) * Z_95**2


def proof_requests(baseline: Baseline, criteria: Criteria, share: float) -> tuple[float, float]:
    """Until it is proven, at the median, that a canary that equals LEGACY is not worse by the margins: (error rate,
    P95).
    """
    legacy_per_canary = (1 - share) / share
    errors = planner.margin_growth(_smoothed(baseline.error_rate), criteria.error_rate_margin, legacy_per_canary)
    slow = planner.share_growth(*_tails_at_margin(baseline, criteria), legacy_per_canary, PROMOTION_ODDS)
    growths = {Promotion.ERRORS: errors / baseline.design_effect, Promotion.P95: slow}
    priors = PROMOTION_LOG_PRIOR.max(axis=1)
    bar = -math.log(criteria.promotion_alpha)
    needed = {row: (bar - priors[row]) / growth if growth > NO_GROWTH else math.inf for row, growth in growths.items()}
    return float(needed[Promotion.ERRORS]), float(needed[Promotion.P95])


@dataclass(frozen=True, slots=True)
class Onset:
    """A regression that begins `elapsed_seconds` after the first look, at so many canary requests a second."""

    regression: Regression
    elapsed_seconds: float
    canary_requests_per_second: float

    @property
    def at_once(self) -> bool:
        return self.elapsed_seconds <= 0

    def log_weight(self, growth: float) -> float:
        """Of the beginnings around the onset: those that are less than a nat of evidence apart count together."""
        every_slice = self.elapsed_seconds < EVERY_EVALUATION_UP_TO * SLICE_SECONDS
        index = self.elapsed_seconds / SLICE_SECONDS if every_slice else EVERY_EVALUATION_UP_TO
        index += 0 if every_slice else self.elapsed_seconds / SECONDS_BETWEEN_BEGINNINGS
        apart = self.canary_requests_per_second * (SLICE_SECONDS if every_slice else SECONDS_BETWEEN_BEGINNINGS)
        together = max(1.0, 2 / (growth * apart)) if apart > 0 else 1.0
        return math.log(min(FIRST_MASS, beginning_weight(int(index)) * together))


def detection_requests(baseline: Baseline, criteria: Criteria, share: float, onset: Onset) -> float:
    """Until the regression is rolled back on proof, from its onset; without the deadlines of observed breaches."""
    tests = (*_error_tests(baseline, criteria, share, onset), *_latency_tests(baseline, criteria, share, onset))
    return min((test.requests(onset, criteria.alpha) for test in tests), default=math.inf)


@dataclass(frozen=True, slots=True)
class _Test:
    """One rollback test: nats per request, its weight, how many alternatives, and what it waits for besides."""

    growth: float
    weight: float
    alternatives: int
    at_least: float

    def requests(self, onset: Onset, alpha: float) -> float:
        if self.growth < NO_GROWTH or self.weight <= 0:
            return math.inf
        missing = math.log(self.alternatives / (alpha * self.weight)) - onset.log_weight(self.growth)
        return float(max(self.at_least, math.ceil(missing / self.growth)))


def _error_tests(baseline: Baseline, criteria: Criteria, share: float, onset: Onset) -> Iterator[_Test]:
    """Nothing for a canary that has no more errors, or too few for a rollback."""
    if not guards.reaches(onset.regression.error_rate, criteria.error_rate_margin):
        return
    legacy_p = _smoothed(baseline.error_rate)
    canary_p = min(1.0, legacy_p + onset.regression.error_rate)
    legacy_per_canary, weights = (1 - share) / share, comparison_weights(criteria)
    few = math.ceil(guards.MIN_EVENTS / canary_p)
    growth = planner.share_growth(canary_p, legacy_p, legacy_per_canary, ERROR_ODDS) / baseline.design_effect
    yield _Test(growth, weights[Rollback.ERRORS], len(ERROR_ODDS), few)
    growth = planner.excess_growth(canary_p, legacy_p, criteria.error_rate_margin, legacy_per_canary)
    strict = weights[Rollback.ERRORS_STRICT]
    yield _Test(growth / baseline.design_effect, strict, len(STRICT_EXCESS), few)
    yield from _limit_tests(criteria, {Metric.ERROR_RATE: canary_p, Metric.AVAILABILITY: canary_p})


def _latency_tests(baseline: Baseline, criteria: Criteria, share: float, onset: Onset) -> Iterator[_Test]:
    if not guards.reaches(onset.regression.slowdown - 1, criteria.p95_margin):
        return
    legacy_per_canary, weights = (1 - share) / share, comparison_weights(criteria)
    learnt = MIN_PAST_LATENCIES / legacy_per_canary if onset.at_once else 0.0
    shift = quantiles.bins_of_increase(onset.regression.slowdown - 1)
    for row, q in QUANTILES:
        threshold = int(quantiles.thresholds(baseline.latency, (q,))[0])
        rates = _tail(baseline.latency, threshold - shift), _tail(baseline.latency, threshold)
        growth = planner.share_growth(*rates, legacy_per_canary, LATENCY_ODDS)
        from_ = max(learnt, EXTRA_QUANTILES_FROM) if row in EXTRA_QUANTILES else learnt
        yield _Test(growth, weights[row], len(LATENCY_ODDS), from_)
    threshold = int(quantiles.thresholds(baseline.latency, (P95,))[0])
    within = quantiles.bins_of_increase(criteria.p95_margin)
    rates = _tail(baseline.latency, threshold + within - shift), _tail(baseline.latency, threshold)
    growth = planner.share_growth(*rates, legacy_per_canary, LATENCY_ODDS)
    yield _Test(growth, weights[Rollback.P95_STRICT], len(LATENCY_ODDS), learnt)
    slow = {
        limit.name: _tail(baseline.latency, quantiles.threshold_of(limit.value) - shift)
        for limit in criteria.limits
        if limit.metric is Metric.P95
    }
    yield from _limit_tests(criteria, slow)


def _limit_tests(criteria: Criteria, rates: dict[str, float]) -> Iterator[_Test]:
    """`rates` of events by the limit's name or metric."""
    for limit, weight in zip(criteria.limits, limit_weights(criteria.limits), strict=True):
        rate = rates.get(limit.name, rates.get(limit.metric, 0.0))
        if rate > 0:
            few = math.ceil(guards.MIN_EVENTS / rate)
            yield _Test(planner.limit_growth(rate, allowed(limit)), weight, len(LIMIT_ODDS), few)


def _tails_at_margin(baseline: Baseline, criteria: Criteria) -> tuple[float, float]:
    """The parts of the requests beyond the margin above LEGACY's P95, and beyond the P95."""
    threshold = int(quantiles.thresholds(baseline.latency, (P95,))[0])
    within = quantiles.bins_of_increase(criteria.p95_margin)
    return _tail(baseline.latency, threshold + within), _tail(baseline.latency, threshold)


def _tail(latency: Floats, threshold: float) -> float:
    """The part of the requests above the upper edge of the bin `threshold`; between two edges by interpolation."""
    beyond = 1 - np.cumsum(latency) / latency.sum()
    edge = min(threshold, quantiles.LARGEST_THRESHOLD)
    return float(np.clip(np.interp(edge, np.arange(BINS), beyond), 0.0, 1.0))


def _smoothed(rate: float) -> float:
    return max(rate, 1e-6)


__all__ = [
    "Baseline",
    "Onset",
    "Regression",
    "detection_requests",
    "lognormal",
    "measured",
    "observed_requests",
    "proof_requests",
]
