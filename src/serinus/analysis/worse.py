"""Is the canary worse than LEGACY? The comparative evidence, guarded, and said in checks."""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from serinus.analysis import guards, quantiles
from serinus.analysis.accumulator import log_evidence
from serinus.analysis.alpha import LOG_HOLD_WEIGHTS, comparison_weights, log_comparison_weights, log_sum, rejected
from serinus.analysis.comparison import LOG_PRIOR, Rollback
from serinus.analysis.criteria import Criteria
from serinus.analysis.endpoints import LOG_APART, LOG_WHOLE, endpoint_tally
from serinus.analysis.evidence import EndpointEvidence, Evidence
from serinus.analysis.quantiles import P95
from serinus.analysis.reasons import Reason
from serinus.analysis.tables import CANARY, DENOMINATORS, LEGACY, Count, Tally
from serinus.analysis.verdict import Check, Metric, Verdict
from serinus.analysis.watches import METRICS, WATCHED, Watch

EXTRA_QUANTILES = (Rollback.P75, Rollback.P90, Rollback.P99)
EXTRA_QUANTILES_FROM = 500  # canary requests
NOTEWORTHY = 2.0  # nats: an endpoint's e-value below 7 adds less than a twentieth of what a rollback needs
_EVENTS: Mapping[Watch, Count] = {Watch.ERRORS: Count.ERRORS, Watch.CLIENT_ERRORS: Count.CLIENT_ERRORS}
_MATTERS: Mapping[Watch, Callable[[Tally, float], bool]] = {
    Watch.ERRORS: guards.errors_matter,
    Watch.P95: guards.latency_matters,
    Watch.CLIENT_ERRORS: guards.client_errors_matter,
}


@dataclass(frozen=True, slots=True)
class ComparisonReading:
    """One watched comparison, read: of all endpoints together (`endpoint` None), or of one.

    `log_e` and `log_hold` are logarithms of e-values, weighted among all comparisons: the first speaks for a rollback
    as soon as the difference `matters`, the second for holding, however small the difference. `log_part` is the log of
    the part that they have in the merged test, `weight` all of the watch's weight in it. `tally` is the stretch that is
    spoken of, since `since`.
    """

    watch: Watch
    endpoint: str | None
    log_e: float
    log_hold: float
    log_part: float
    weight: float
    matters: bool
    tally: Tally
    since: float
    margin: float

    @property
    def metric(self) -> Metric:
        return METRICS[self.watch]

    @property
    def name(self) -> str:
        return self.metric if self.endpoint is None else f"{self.metric} {self.endpoint}"

    @property
    def log_term(self) -> float:
        """What it adds to the merged test."""
        return self.log_e + self.log_part

    def is_proven(self, alpha: float) -> bool:
        """Without the help of any other test."""
        return self.matters and self.log_term >= -math.log(alpha)


def read_comparisons(evidence: Evidence, criteria: Criteria) -> tuple[ComparisonReading, ...]:
    """Of all endpoints together, one for each `Watch`; then of the endpoints that anything at all speaks against."""
    comparison = evidence.comparison
    logs = log_evidence(comparison.log_sums, LOG_PRIOR).tolist()
    tallies = comparison.segments[Watch.P95].tally, comparison.whole
    _leave_out_extra_quantiles(logs, tallies, criteria)
    whole = tuple(_read(watch, evidence, criteria, logs) for watch in Watch)
    return (*whole, *_read_endpoints(evidence.endpoints, criteria))


def _leave_out_extra_quantiles(logs: list[float], tallies: Iterable[Tally], criteria: Criteria) -> None:
    """Unless they say anything, beside a P95 beyond the margin in one of the tallies, on enough requests to mean it."""
    speak = any(logs[row] > 0 for row in EXTRA_QUANTILES)
    if not speak or not any(_p95_is_beyond(tally, criteria) for tally in tallies):
        for row in EXTRA_QUANTILES:
            logs[row] = -math.inf


def _p95_is_beyond(tally: Tally, criteria: Criteria) -> bool:
    if tally.counts[CANARY, Count.VALID] < EXTRA_QUANTILES_FROM:
        return False
    increase = quantiles.p95_increase(tally.latency, tally.seconds)
    return increase is not None and guards.reaches(increase, criteria.p95_margin)


def _read(watch: Watch, evidence: Evidence, criteria: Criteria, logs: Sequence[float]) -> ComparisonReading:
    margin = _margin(watch, criteria)
    whole, segment = evidence.comparison.whole, evidence.comparison.segments[watch]
    running = segment.cusum > 0
    speaks = max(logs[row] for row in WATCHED[watch]) > 0  # or else what is expensive to answer is not asked
    recently = speaks and running and _MATTERS[watch](segment.tally, margin)
    return ComparisonReading(
        watch=watch,
        endpoint=None,
        **_weigh(watch, criteria, logs),
        log_part=LOG_WHOLE,
        matters=recently or (speaks and _MATTERS[watch](whole, margin)),
        tally=segment.tally if running else whole,
        since=segment.since if running else evidence.started_at,
        margin=margin,
    )


def _read_endpoints(evidence: EndpointEvidence, criteria: Criteria) -> Iterator[ComparisonReading]:
    logs = log_evidence(evidence.log_sums, LOG_PRIOR)
    for row, watch in np.argwhere(evidence.cusums > 0).tolist():
        if logs[row, WATCHED[Watch(watch)]].max() > NOTEWORTHY:
            yield _read_endpoint(evidence, row, Watch(watch), (criteria, logs[row].tolist()))


def _read_endpoint(
    evidence: EndpointEvidence, row: int, watch: Watch, known: tuple[Criteria, list[float]]
) -> ComparisonReading:
    criteria, logs = known
    tally, margin = endpoint_tally(evidence, row, watch), _margin(watch, criteria)
    if watch is Watch.P95:
        _leave_out_extra_quantiles(logs, (tally,), criteria)
    return ComparisonReading(
        watch=watch,
        endpoint=evidence.names[row],
        **_weigh(watch, criteria, logs),
        log_part=LOG_APART + float(evidence.log_weights[row]),
        matters=_MATTERS[watch](tally, margin),
        tally=tally,
        since=float(evidence.since[row, watch]),
        margin=margin,
    )


class _Weighed(TypedDict):
    log_e: float
    log_hold: float
    weight: float


def _weigh(watch: Watch, criteria: Criteria, logs: Sequence[float]) -> _Weighed:
    rows, weights = WATCHED[watch], log_comparison_weights(criteria)
    return {
        "log_e": log_sum(logs[row] + weights[row] for row in rows),
        "log_hold": log_sum(logs[row] + LOG_HOLD_WEIGHTS[row] for row in rows),
        "weight": sum(math.exp(weights[row]) for row in rows),
    }


def bad_endpoints(
    readings: Iterable[ComparisonReading], criteria: Criteria, endpoints: int
) -> tuple[ComparisonReading, ...]:
    """Which of the `endpoints` are worse by themselves, the clearest first.

    In expectation at most the part `alpha` of them is wrongly there.

    The e-BH procedure (Wang and Ramdas, JRSS-B 84:822-852, 2022): the k largest e-values, for the largest k at which
    all of them reach endpoints / (alpha k). An endpoint's e-value is that of its clearest comparison.
    """
    clearest: dict[str | None, ComparisonReading] = {}
    for each in sorted(readings, key=lambda each: each.log_e):
        if each.endpoint is not None and each.matters:
            clearest[each.endpoint] = each
    ranked = sorted(clearest.values(), key=lambda each: -each.log_e)
    log_bar = math.log(endpoints / criteria.alpha) if ranked else 0.0
    log_all = math.log(comparison_weights(criteria).sum())
    reached = [k for k, each in enumerate(ranked, 1) if each.log_e - log_all >= log_bar - math.log(k)]
    return tuple(ranked[: max(reached, default=0)])


def endpoint_checks(readings: Iterable[ComparisonReading], criteria: Criteria, endpoints: int) -> Iterator[Check]:
    """The `bad_endpoints`, each with the bar that it has reached there, which is not the rollback's."""
    bad = bad_endpoints(readings, criteria, endpoints)
    for each in bad:
        check = worse_check(each, criteria.alpha)
        bar = endpoints * float(comparison_weights(criteria).sum()) / (criteria.alpha * len(bad) * each.weight)
        yield replace(check, numbers={**check.numbers, "evidence_needed": bar})


def _margin(watch: Watch, criteria: Criteria) -> float:
    match watch:
        case Watch.ERRORS:
            return criteria.error_rate_margin
        case Watch.P95:
            return criteria.p95_margin
        case Watch.CLIENT_ERRORS:
            return criteria.client_error_margin


def worse_checks(readings: Sequence[ComparisonReading], proven: Collection[str], alpha: float) -> Iterator[Check]:
    """One for each `Watch`: of all endpoints together, unless only one of them is proven worse by itself."""
    for watch in Watch:
        worse = _first(readings, watch, proven)
        if worse is not None:
            yield worse_check(worse, alpha)
        else:
            yield _check(next(each for each in readings if each.watch is watch), Verdict.PASS, Reason.NOT_WORSE, alpha)


def _first(readings: Iterable[ComparisonReading], watch: Watch, names: Collection[str]) -> ComparisonReading | None:
    """Of the watch's readings with these names the one of all endpoints, or else of the first endpoint."""
    return next((each for each in readings if each.watch is watch and each.name in names), None)


def worse_check(reading: ComparisonReading, alpha: float) -> Check:
    return _check(reading, Verdict.FAIL, Reason.WORSE, alpha)


def hold_checks(readings: Sequence[ComparisonReading], proven: Collection[str], alpha: float) -> Iterator[Check]:
    """What is worse, however little, in each `Watch` that is not `proven` to be worse by as much as matters."""
    worse = rejected({each.name: each.log_hold + each.log_part for each in readings}, alpha).difference(proven)
    for watch in Watch:
        held = _first(readings, watch, worse)
        if held is not None and _first(readings, watch, proven) is None:
            yield _hold_check(held, alpha)


def _hold_check(comparison: ComparisonReading, alpha: float) -> Check:
    """Proven worse, and no rollback: too little of a difference, or one of too few subjects."""
    events = _EVENTS.get(comparison.watch)
    difference = None if events is None else guards.difference(comparison.tally, events)
    few = difference is not None and guards.reaches(difference, comparison.margin)
    reason = Reason.WORSE_FOR_FEW_SUBJECTS if few else Reason.WORSE_WITHIN_TOLERANCE
    return _check(comparison, Verdict.FAIL, reason, alpha)


def _check(comparison: ComparisonReading, verdict: Verdict, reason: Reason, alpha: float) -> Check:
    log_e = comparison.log_e if reason in {Reason.WORSE, Reason.NOT_WORSE} else comparison.log_hold
    numbers = {
        "evidence": math.exp(min(log_e - math.log(comparison.weight), 700.0)),
        "evidence_needed": math.exp(-comparison.log_part) / (alpha * comparison.weight),
    }
    levels = _levels(comparison)
    if reason is not Reason.NOT_WORSE and levels is not None:
        numbers |= {"legacy": levels[LEGACY], "canary": levels[CANARY], "margin": comparison.margin} | _counted(
            comparison
        )
    metric, since = comparison.metric, comparison.since
    value = None if levels is None else _difference(comparison, levels)
    return Check(
        metric, metric, verdict, reason, value, comparison.margin, numbers, since, endpoint=comparison.endpoint
    )


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
