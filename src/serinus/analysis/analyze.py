"""From evidence to a report: everything that a decision rests on, read at one instant."""

from dataclasses import replace
from functools import lru_cache

from serinus.analysis import obstacles
from serinus.analysis.alpha import rejected
from serinus.analysis.arrays import Floats
from serinus.analysis.arrivals import ratio_checks
from serinus.analysis.breaches import LimitReading, limit_check, read_limits
from serinus.analysis.criteria import Criteria
from serinus.analysis.evidence import Evidence
from serinus.analysis.fold import enter_step, fold, start
from serinus.analysis.margins import StepTally, margin_checks, read_step
from serinus.analysis.obstacles import Obstacle, instead_of
from serinus.analysis.pace import timed
from serinus.analysis.quantiles import Distribution
from serinus.analysis.tables import CANARY, LEGACY, Count
from serinus.analysis.verdict import Check, Figures, LimitCheck, Report, Verdict
from serinus.analysis.worse import (
    ComparisonReading,
    endpoint_checks,
    hold_checks,
    read_comparisons,
    worse_checks,
)


def analyze(evidence: Evidence, criteria: Criteria, now: float) -> Report:
    """The report at `now` (epoch seconds); the evidence may be read as often as one likes.

    It changes with the clock only while counts cannot be trusted; else it is read once for each evidence.
    """
    collection = obstacles.of_collection(evidence, now)
    report = _trusted(evidence, criteria) if collection is None else _report(evidence, criteria, collection)
    return replace(report, at=now)


@lru_cache(maxsize=4)
def _trusted(evidence: Evidence, criteria: Criteria) -> Report:
    return _report(evidence, criteria, None)


def _report(evidence: Evidence, criteria: Criteria, collection: Obstacle | None) -> Report:
    """`collection` is what keeps any count from being trusted."""
    readings = read_comparisons(evidence, criteria)
    comparative = {each.name: each.log_term for each in readings if each.matters}
    limits = read_limits(evidence, criteria, {each.metric for each in readings if each.is_proven(criteria.alpha)})
    absolute = {_term(each): each.log_term for each in limits if each.matters and not each.environment}
    proven = rejected({**comparative, **absolute}, criteria.alpha)
    step = read_step(evidence)
    legacy, canary = _figures(evidence, step)
    slo, proof = margin_checks(evidence, step, criteria, collection)
    return Report(
        at=evidence.through_at or evidence.started_at,
        through_at=evidence.through_at,
        legacy=legacy,
        canary=canary,
        slo=tuple(timed(check, evidence) for check in slo),
        proof=tuple(timed(check, evidence) for check in proof),
        worse=_worse(evidence, criteria, collection, (readings, proven)),
        holds=(*hold_checks(readings, proven, criteria.alpha), *ratio_checks(evidence.step)),
        limits=_limits(evidence, criteria, collection, (limits, proven)),
        endpoints=tuple(endpoint_checks(readings, criteria, len(evidence.endpoints.names))),
    )


def _term(reading: LimitReading) -> str:
    """Limits and comparisons are merged in one namespace."""
    return f"limit {reading.limit.name}"


def _worse(
    evidence: Evidence,
    criteria: Criteria,
    collection: Obstacle | None,
    read: tuple[tuple[ComparisonReading, ...], frozenset[str]],
) -> tuple[Check, ...]:
    readings, proven = read
    obstacle = obstacles.of_comparison(evidence, collection)
    checks = worse_checks(readings, proven, criteria.alpha)
    return tuple(
        check if obstacle is None or check.verdict is Verdict.FAIL else instead_of(check, obstacle) for check in checks
    )


def _limits(
    evidence: Evidence,
    criteria: Criteria,
    collection: Obstacle | None,
    read: tuple[tuple[LimitReading, ...], frozenset[str]],
) -> dict[str, LimitCheck]:
    readings, proven = read
    obstacle = obstacles.of_canary(evidence, collection)
    checks = {}
    for each in readings:
        is_proven = each.is_proven(criteria.alpha) or _term(each) in proven
        limit = limit_check(each, obstacle, criteria.alpha, proven=is_proven)
        checks[each.limit.name] = replace(limit, check=timed(limit.check, evidence))
    return checks


def _figures(evidence: Evidence, step: StepTally) -> tuple[Figures, Figures]:
    """LEGACY's rates and latencies are weighted to the canary's traffic, as long as there was any beside it."""
    table = evidence.step.table
    rates, failed = step.tally.rates(Count.ERRORS), step.tally.rates(Count.FAILED)
    legacy, canary = (Distribution(table.latency[arm], table.seconds[arm]) for arm in (LEGACY, CANARY))
    of_legacy = _version(table.counts[LEGACY], step.latency[LEGACY] if rates else legacy)
    if rates and failed:
        of_legacy = replace(of_legacy, error_rate=rates[LEGACY], availability=1 - failed[LEGACY])
    return of_legacy, _version(table.counts[CANARY], canary)


def _version(counts: Floats, latency: Distribution) -> Figures:
    valid = int(counts[Count.VALID])
    p50_ms, p95_ms, p99_ms = latency.quantiles_ms((0.5, 0.95, 0.99)) or (None, None, None)
    return Figures(
        requests=int(counts[Count.REQUESTS]),
        valid=valid,
        errors=int(counts[Count.ERRORS]),
        client_errors=int(counts[Count.CLIENT_ERRORS]),
        error_rate=float(counts[Count.ERRORS] / valid) if valid else None,
        availability=float(1 - counts[Count.FAILED] / valid) if valid else None,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        p99_ms=p99_ms,
    )


__all__ = ["Evidence", "analyze", "enter_step", "fold", "start"]
