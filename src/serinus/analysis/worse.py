"""Is the canary worse than LEGACY? The comparative evidence, guarded, and said in checks."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from serinus.analysis import guards, quantiles
from serinus.analysis.accumulator import log_evidence
from serinus.analysis.alpha import HOLD_WEIGHTS, comparison_weights, log_sum
from serinus.analysis.arrays import Floats
from serinus.analysis.comparison import LOG_PRIOR, Rollback
from serinus.analysis.criteria import Criteria
from serinus.analysis.evidence import Evidence
from serinus.analysis.fold import WATCHED, Watch
from serinus.analysis.quantiles import P95
from serinus.analysis.reasons import Reason
from serinus.analysis.tables import CANARY, DENOMINATORS, LEGACY, Count, Tally
from serinus.analysis.verdict import Check, Metric, Verdict

EXTRA_QUANTILES = (Rollback.P75, Rollback.P90, Rollback.P99)
EXTRA_QUANTILES_FROM = 500  # canary requests
METRICS: Mapping[Watch, Metric] = {
    Watch.ERRORS: Metric.ERROR_RATE,
    Watch.P95: Metric.P95,
    Watch.CLIENT_ERRORS: Metric.CLIENT_ERROR_RATE,
}
_EVENTS: Mapping[Watch, Count] = {Watch.ERRORS: Count.ERRORS, Watch.CLIENT_ERRORS: Count.CLIENT_ERRORS}
_MATTERS: Mapping[Watch, Callable[[Tally, float], bool]] = {
    Watch.ERRORS: guards.errors_matter,
    Watch.P95: guards.latency_matters,
    Watch.CLIENT_ERRORS: guards.client_errors_matter,
}


@dataclass(frozen=True, slots=True)
class ComparisonReading:
    """One watched comparison, read. Evidence is the logarithm of weighted e-values.

    `log_term` speaks for a rollback as soon as the difference `matters`; `log_hold` for holding, however small the
    difference. `tally` is the stretch that is spoken of, since `since`.
    """

    watch: Watch
    log_term: float
    log_hold: float
    weight: float
    matters: bool
    tally: Tally
    since: float
    margin: float

    @property
    def metric(self) -> Metric:
        return METRICS[self.watch]

    def is_proven(self, alpha: float) -> bool:
        """Without the help of any other test."""
        return self.matters and self.log_term >= -math.log(alpha)


def read_comparisons(evidence: Evidence, criteria: Criteria) -> tuple[ComparisonReading, ...]:
    logs = log_evidence(evidence.comparison.log_sums, LOG_PRIOR)
    weights = comparison_weights(criteria)
    if not _extra_quantiles_count(evidence.comparison.whole, criteria):
        logs[list(EXTRA_QUANTILES)] = -math.inf
    return tuple(_read(watch, evidence, criteria, (logs, weights)) for watch in Watch)


def _extra_quantiles_count(whole: Tally, criteria: Criteria) -> bool:
    increase = quantiles.p95_increase(whole.latency, whole.seconds)
    enough = whole.counts[CANARY, Count.VALID] >= EXTRA_QUANTILES_FROM
    return bool(enough and increase is not None and guards.reaches(increase, criteria.p95_margin))


def _read(watch: Watch, evidence: Evidence, criteria: Criteria, read: tuple[Floats, Floats]) -> ComparisonReading:
    logs, weights = read
    rows = list(WATCHED[watch])
    margin = _margin(watch, criteria)
    whole, segment = evidence.comparison.whole, evidence.comparison.segments[watch]
    running = segment.cusum > 0
    recently = running and _MATTERS[watch](segment.tally, margin)
    return ComparisonReading(
        watch=watch,
        log_term=_weighted(logs[rows], weights[rows]),
        log_hold=_weighted(logs[rows], HOLD_WEIGHTS[rows]),
        weight=float(weights[rows].sum()),
        matters=recently or _MATTERS[watch](whole, margin),
        tally=segment.tally if running else whole,
        since=segment.since if running else evidence.started_at,
        margin=margin,
    )


def _margin(watch: Watch, criteria: Criteria) -> float:
    match watch:
        case Watch.ERRORS:
            return criteria.error_rate_margin
        case Watch.P95:
            return criteria.p95_margin
        case Watch.CLIENT_ERRORS:
            return criteria.client_error_margin


def _weighted(logs: Floats, weights: Floats) -> float:
    used = weights > 0
    return log_sum(logs[used] + np.log(weights[used]))


def worse_check(comparison: ComparisonReading, alpha: float, *, proven: bool) -> Check:
    verdict, reason = (Verdict.FAIL, Reason.WORSE) if proven else (Verdict.PASS, Reason.NOT_WORSE)
    return _check(comparison, verdict, reason, alpha)


def hold_check(comparison: ComparisonReading, alpha: float) -> Check:
    """Proven worse, and no rollback: too little of a difference, or one of too few subjects."""
    events = _EVENTS.get(comparison.watch)
    difference = None if events is None else guards.difference(comparison.tally, events)
    few = difference is not None and guards.reaches(difference, comparison.margin)
    reason = Reason.WORSE_FOR_FEW_SUBJECTS if few else Reason.WORSE_WITHIN_TOLERANCE
    return _check(comparison, Verdict.FAIL, reason, alpha)


def _check(comparison: ComparisonReading, verdict: Verdict, reason: Reason, alpha: float) -> Check:
    log_term = comparison.log_term if reason in {Reason.WORSE, Reason.NOT_WORSE} else comparison.log_hold
    numbers = {
        "evidence": math.exp(min(log_term - math.log(comparison.weight), 700.0)),
        "evidence_needed": 1 / (alpha * comparison.weight),
    }
    levels = _levels(comparison)
    if reason is not Reason.NOT_WORSE and levels is not None:
        numbers |= {"legacy": levels[LEGACY], "canary": levels[CANARY], "margin": comparison.margin} | _counted(
            comparison
        )
    metric, since = comparison.metric, comparison.since
    value = None if levels is None else _difference(comparison, levels)
    return Check(metric, metric, verdict, reason, value, comparison.margin, numbers, since)


def _levels(comparison: ComparisonReading) -> tuple[float, float] | None:
    tally = comparison.tally
    events = _EVENTS.get(comparison.watch)
    return quantiles.p95s_ms(tally.latency, tally.seconds) if events is None else tally.rates(events)


def _difference(comparison: ComparisonReading, levels: tuple[float, float]) -> float:
    legacy, canary = levels
    return canary / legacy - 1 if comparison.watch is Watch.P95 else canary - legacy


def _counted(comparison: ComparisonReading) -> dict[str, float]:
    """Events of the canary, and how many LEGACY's rate would have given in its place."""
    tally = comparison.tally
    events = _EVENTS.get(comparison.watch)
    if events is None:
        usual = int(quantiles.thresholds(tally.latency[LEGACY], (P95,))[0])
        expected, counted = (float(slow) for slow in quantiles.slower(tally.latency, usual))
        requests = float(tally.latency[CANARY].sum())
    else:
        expected, counted = (float(number) for number in tally.counts[:, events])
        requests = float(tally.counts[CANARY, DENOMINATORS[events]])
    return {"counted": counted, "expected": expected, "requests": requests}
