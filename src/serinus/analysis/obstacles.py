"""Why nothing can be said: the four ways to have no data, and data that cannot be used."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from serinus.analysis.evidence import Evidence
from serinus.analysis.reasons import Reason
from serinus.analysis.tables import CANARY, LEGACY, Count
from serinus.analysis.verdict import Check, Verdict

STALE_SECONDS = 10.0
UNUSABLE_SECONDS = 300.0  # after this long without another one, a slice that could not be used is history


class Obstacle(NamedTuple):
    """What a check says instead of an answer."""

    verdict: Verdict
    reason: Reason
    numbers: Mapping[str, float]


def of_collection(evidence: Evidence, now: float) -> Obstacle | None:
    """What keeps any count from being trusted at `now`."""
    if evidence.unusable_at is not None and now - evidence.unusable_at <= UNUSABLE_SECONDS:
        numbers = {"slices": float(evidence.unusable), "seconds": now - evidence.unusable_at}
        return Obstacle(Verdict.ERROR, Reason.UNUSABLE_COUNTS, numbers)
    if evidence.through_at is None:
        silent = now - evidence.started_at
        if silent <= STALE_SECONDS:
            return Obstacle(Verdict.INCONCLUSIVE, Reason.COUNTS_AWAITED, {})
        return Obstacle(Verdict.INCONCLUSIVE, Reason.COLLECTOR_SILENT, {"seconds": silent})
    if now - evidence.through_at > STALE_SECONDS:
        return Obstacle(Verdict.INCONCLUSIVE, Reason.STALE, {"seconds": now - evidence.through_at})
    return None


def of_canary(evidence: Evidence, collection: Obstacle | None) -> Obstacle | None:
    """What keeps the canary from being judged by itself; `collection` is what keeps any count from being trusted."""
    return collection or _without_traffic(evidence, CANARY, Reason.NO_CANARY_TRAFFIC)


def of_comparison(evidence: Evidence, collection: Obstacle | None) -> Obstacle | None:
    """What keeps the canary from being compared with LEGACY."""
    return of_canary(evidence, collection) or _without_traffic(evidence, LEGACY, Reason.NO_LEGACY_TRAFFIC)


def _without_traffic(evidence: Evidence, arm: int, reason: Reason) -> Obstacle | None:
    if evidence.step.table.counts[arm, Count.ANSWERED] > 0:
        return None
    return Obstacle(Verdict.INCONCLUSIVE, reason, {})


def instead_of(check: Check, obstacle: Obstacle) -> Check:
    """The check with the obstacle for an answer; what was observed stays as `value`."""
    return replace(check, verdict=obstacle.verdict, reason=obstacle.reason, numbers=obstacle.numbers)
