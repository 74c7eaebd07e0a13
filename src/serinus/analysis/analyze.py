"""From evidence to a report: everything that a decision rests on, read at one instant."""

from dataclasses import replace

from serinus.analysis import obstacles, quantiles
from serinus.analysis.alpha import rejected
from serinus.analysis.arrays import Floats
from serinus.analysis.breaches import LimitReading, limit_check, read_limits
from serinus.analysis.criteria import Criteria
from serinus.analysis.evidence import Evidence
from serinus.analysis.fold import enter_step, fold, start
from serinus.analysis.margins import observed_checks, proof_checks, step_tally
from serinus.analysis.obstacles import instead_of
from serinus.analysis.tables import CANARY, LEGACY, Count
from serinus.analysis.verdict import Check, Figures, LimitCheck, Report, Verdict
from serinus.analysis.worse import ComparisonReading, hold_check, read_comparisons, worse_check


def analyze(evidence: Evidence, criteria: Criteria, now: float) -> Report:
    """The report at `now` (epoch seconds); the evidence may be read as often as one likes."""
    comparisons = read_comparisons(evidence, criteria)
    comparative = {str(each.metric): each.log_term for each in comparisons if each.matters}
    readings = read_limits(evidence, criteria, [each.metric for each in comparisons if each.is_proven(criteria.alpha)])
    absolute = {_term(each): each.log_term for each in readings if each.matters and not each.environment}
    proven = rejected({**comparative, **absolute}, criteria.alpha)
    legacy, canary = _figures(evidence)
    return Report(
        at=now,
        through_at=evidence.through_at,
        legacy=legacy,
        canary=canary,
        slo=observed_checks(evidence, criteria, now),
        proof=proof_checks(evidence, criteria, now),
        worse=_worse(evidence, criteria, now, (comparisons, proven)),
        holds=_holds(comparisons, criteria, proven),
        limits=_limits(evidence, criteria, now, (readings, proven)),
    )


def _term(reading: LimitReading) -> str:
    """Limits and comparisons are merged in one namespace."""
    return f"limit {reading.limit.name}"


def _worse(
    evidence: Evidence, criteria: Criteria, now: float, read: tuple[tuple[ComparisonReading, ...], frozenset[str]]
) -> tuple[Check, ...]:
    comparisons, proven = read
    obstacle = obstacles.of_comparison(evidence, now)
    checks = (worse_check(each, criteria.alpha, proven=each.metric in proven) for each in comparisons)
    return tuple(
        check if obstacle is None or check.verdict is Verdict.FAIL else instead_of(check, obstacle) for check in checks
    )


def _holds(comparisons: tuple[ComparisonReading, ...], criteria: Criteria, proven: frozenset[str]) -> tuple[Check, ...]:
    worse = rejected({each.metric: each.log_hold for each in comparisons}, criteria.alpha)
    return tuple(hold_check(each, criteria.alpha) for each in comparisons if each.metric in worse - proven)


def _limits(
    evidence: Evidence, criteria: Criteria, now: float, read: tuple[tuple[LimitReading, ...], frozenset[str]]
) -> dict[str, LimitCheck]:
    readings, proven = read
    obstacle = obstacles.of_canary(evidence, now)
    checks = {}
    for each in readings:
        is_proven = each.is_proven(criteria.alpha) or _term(each) in proven
        checks[each.limit.name] = limit_check(each, obstacle, criteria.alpha, proven=is_proven)
    return checks


def _figures(evidence: Evidence) -> tuple[Figures, Figures]:
    """LEGACY's rates and latencies are weighted to the canary's traffic, as long as there was any beside it."""
    table, tally = evidence.step.table, step_tally(evidence)
    rates, failed = tally.rates(Count.ERRORS), tally.rates(Count.FAILED)
    timed = tally if rates else table
    legacy = _version(table.counts[LEGACY], timed.latency[LEGACY], timed.seconds[LEGACY])
    if rates and failed:
        legacy = replace(legacy, error_rate=rates[LEGACY], availability=1 - failed[LEGACY])
    return legacy, _version(table.counts[CANARY], table.latency[CANARY], table.seconds[CANARY])


def _version(counts: Floats, latency: Floats, seconds: Floats) -> Figures:
    valid = int(counts[Count.VALID])
    return Figures(
        requests=int(counts[Count.REQUESTS]),
        valid=valid,
        errors=int(counts[Count.ERRORS]),
        client_errors=int(counts[Count.CLIENT_ERRORS]),
        error_rate=float(counts[Count.ERRORS] / valid) if valid else None,
        availability=float(1 - counts[Count.FAILED] / valid) if valid else None,
        p50_ms=quantiles.quantile_ms(latency, seconds, 0.5),
        p95_ms=quantiles.quantile_ms(latency, seconds, 0.95),
        p99_ms=quantiles.quantile_ms(latency, seconds, 0.99),
    )


__all__ = ["Evidence", "analyze", "enter_step", "fold", "start"]
