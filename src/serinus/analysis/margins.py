"""The margins of the present step: observed (the SLO, literally) and proven (sequential non-inferiority tests)."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from serinus.analysis import guards, intervals, obstacles, planner, quantiles
from serinus.analysis.accumulator import log_evidence
from serinus.analysis.comparison import PROMOTION_LOG_PRIOR, PROMOTION_ODDS
from serinus.analysis.criteria import Criteria
from serinus.analysis.evidence import Evidence
from serinus.analysis.intervals import Sample
from serinus.analysis.obstacles import Obstacle
from serinus.analysis.quantiles import P95, Distribution
from serinus.analysis.reasons import Reason
from serinus.analysis.tables import CANARY, LEGACY, Count, Table, Tally, matched, stack
from serinus.analysis.verdict import Check, Metric, Verdict

MIN_LEGACY_REQUESTS = 100
MOST_REQUESTS = 1e9  # what stands for "never at this rate"
_Growth = Callable[[Evidence, Criteria], float]  # nats of proof for each canary request
NOT_CONCURRENT = Obstacle(Verdict.INCONCLUSIVE, Reason.NO_CONCURRENT_TRAFFIC, {})


def step_tally(evidence: Evidence) -> Tally:
    """The present step's strata, and those that still wait for more as they are."""
    waiting = [each.table for each in evidence.open.values() if each.split_revision >= evidence.step.split_revision]
    return evidence.step.tally + matched(stack(waiting)).summed() if waiting else evidence.step.tally


class StepTally(NamedTuple):
    """The present step's tally, and its latencies by version."""

    tally: Tally
    latency: tuple[Distribution, Distribution]

    @property
    def p95s_ms(self) -> tuple[float, float] | None:
        """(LEGACY, canary); None when either is empty."""
        legacy, canary = (each.quantile_ms(P95) for each in self.latency)
        return None if legacy is None or canary is None else (legacy, canary)


def read_step(evidence: Evidence) -> StepTally:
    tally = step_tally(evidence)
    legacy, canary = (Distribution(tally.latency[arm], tally.seconds[arm]) for arm in (LEGACY, CANARY))
    return StepTally(tally, (legacy, canary))


def margin_checks(
    evidence: Evidence, step: StepTally, criteria: Criteria, collection: Obstacle | None
) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    """(observed: error rate, P95, volume; proven: error rate, P95)."""
    estimates = _estimates(step, evidence, criteria)
    uncompared = obstacles.of_comparison(evidence, collection)
    obstacle = uncompared or _too_few(evidence, criteria)
    observed = (*(_unless(obstacle, estimate) for estimate in estimates), _volume(evidence, criteria, collection))
    logs = log_evidence(evidence.step.log_products, PROMOTION_LOG_PRIOR)
    rows = zip(estimates, logs.tolist(), (_error_growth, _p95_growth), strict=True)
    return observed, tuple(_unless(uncompared, _proof(*row, evidence, criteria)) for row in rows)


def _estimates(step: StepTally, evidence: Evidence, criteria: Criteria) -> tuple[Check, Check]:
    """Error rate and P95 as they are observed, on however little."""
    errors = _observed(evidence, Metric.ERROR_RATE, criteria.error_rate_margin, step.tally.rates(Count.ERRORS))
    p95 = _observed(evidence, Metric.P95, criteria.p95_margin, step.p95s_ms)
    legacy, canary = _samples(step, evidence.step.table)
    between = intervals.rate_difference(canary, legacy, design_effect=evidence.past.design_effect)
    return replace(errors, interval=between), replace(p95, interval=intervals.p95_increase(canary, legacy))


def _samples(step: StepTally, table: Table) -> tuple[Sample, Sample]:
    """(LEGACY, canary): LEGACY's rates and latencies by the tally, on as many requests as the table says."""
    rates = step.tally.rates(Count.ERRORS) or (0.0, 0.0)
    requests, timed = table.counts[:, Count.VALID].tolist(), table.latency.sum(axis=1).tolist()
    of_legacy, of_canary = (
        Sample(rates[arm] * requests[arm], requests[arm], step.latency[arm], timed[arm]) for arm in (LEGACY, CANARY)
    )
    return of_legacy, of_canary


def _observed(evidence: Evidence, metric: Metric, margin: float, levels: tuple[float, float] | None) -> Check:
    if levels is None:
        return _unless(NOT_CONCURRENT, Check(metric, metric, Verdict.INCONCLUSIVE, "", need=margin))
    legacy, canary = levels
    value = canary / legacy - 1 if metric is Metric.P95 else canary - legacy
    verdict, reason = Verdict.PASS, Reason.WITHIN_MARGIN
    if guards.reaches(value, margin):
        verdict, reason = Verdict.FAIL, Reason.BEYOND_MARGIN
    numbers = {"legacy": legacy, "canary": canary, "margin": margin, "requests": _canary_requests(evidence)}
    return Check(metric, metric, verdict, reason, value, margin, numbers, evidence.step.started_at)


def _volume(evidence: Evidence, criteria: Criteria, collection: Obstacle | None) -> Check:
    unusable = collection if collection and collection.verdict is Verdict.ERROR else None
    return _unless(unusable, _volume_counted(evidence, criteria))


def _volume_counted(evidence: Evidence, criteria: Criteria) -> Check:
    requests, needed = _canary_requests(evidence), criteria.min_canary_requests
    numbers = {"requests": requests, "needed": float(needed)}
    verdict, reason = Verdict.PASS, Reason.ENOUGH_REQUESTS
    if requests <= needed:
        verdict, reason = Verdict.INCONCLUSIVE, Reason.FEW_REQUESTS
        numbers["more_requests"] = needed + 1 - requests
    return Check(Metric.VOLUME, Metric.VOLUME, verdict, reason, requests, needed, numbers, evidence.step.started_at)


def _proof(estimate: Check, log_e: float, growth: _Growth, evidence: Evidence, criteria: Criteria) -> Check:
    log_bar = -math.log(criteria.promotion_alpha)
    requests = _canary_requests(evidence)
    strength, bar = math.exp(min(log_e, 700.0)), 1 / criteria.promotion_alpha
    numbers = {"evidence": strength, "evidence_needed": bar, "requests": requests}
    verdict, reason = Verdict.PASS, Reason.PROVEN_WITHIN_MARGIN
    if log_e < log_bar or requests <= criteria.min_canary_requests:
        verdict, reason = Verdict.INCONCLUSIVE, Reason.NOT_YET_PROVEN
        until = planner.requests_until(log_bar, log_e, growth(evidence, criteria))
        more = max(until, criteria.min_canary_requests + 1 - requests)
        numbers["more_requests"] = min(more, MOST_REQUESTS)
    return replace(estimate, verdict=verdict, reason=reason, numbers=numbers)


def _error_growth(evidence: Evidence, criteria: Criteria) -> float:
    rate = evidence.past.rate(Count.ERRORS, Count.VALID)
    growth = planner.margin_growth(rate, criteria.error_rate_margin, _legacy_per_canary(evidence))
    return growth / evidence.past.design_effect


def _p95_growth(evidence: Evidence, criteria: Criteria) -> float:
    past = evidence.past.latency
    if past.sum() <= 0:
        return 0.0
    threshold = int(quantiles.thresholds(past, (P95,))[0])
    within = math.floor(quantiles.bins_of_increase(criteria.p95_margin) + 1e-9)
    beyond = min(threshold + within, quantiles.LARGEST_THRESHOLD)
    canary_p, legacy_p = (float(quantiles.slower(past, edge) / past.sum()) for edge in (beyond, threshold))
    return planner.share_growth(canary_p, legacy_p, _legacy_per_canary(evidence), PROMOTION_ODDS.tolist())


def _legacy_per_canary(evidence: Evidence) -> float:
    legacy, canary = evidence.step.table.counts[:, Count.VALID]
    return float(legacy / canary) if canary > 0 else 1.0


def _canary_requests(evidence: Evidence) -> float:
    return float(evidence.step.table.counts[CANARY, Count.VALID])


def _too_few(evidence: Evidence, criteria: Criteria) -> Obstacle | None:
    """The estimates of a margin are no answer before the volume is there, and a LEGACY to compare with."""
    requests, needed = _canary_requests(evidence), criteria.min_canary_requests
    if requests <= needed:
        numbers = {"requests": requests, "needed": float(needed), "more_requests": needed + 1 - requests}
        return Obstacle(Verdict.INCONCLUSIVE, Reason.FEW_REQUESTS, numbers)
    requests, needed = float(evidence.step.table.counts[LEGACY, Count.VALID]), MIN_LEGACY_REQUESTS
    if requests < needed:
        numbers = {"requests": requests, "needed": float(needed), "more_requests": needed - requests}
        return Obstacle(Verdict.INCONCLUSIVE, Reason.FEW_LEGACY_REQUESTS, numbers)
    return None


def _unless(obstacle: Obstacle | None, check: Check) -> Check:
    return check if obstacle is None else obstacles.instead_of(check, obstacle)
