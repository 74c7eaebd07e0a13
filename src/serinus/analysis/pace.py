"""How long it takes until so many more requests have come, if they go on coming as they did in this step."""

from dataclasses import replace

from serinus.analysis.evidence import Evidence
from serinus.analysis.reasons import Reason
from serinus.analysis.tables import CANARY, LEGACY, Count
from serinus.analysis.verdict import Check

LONGEST_SECONDS = 1_000 * 86_400.0
"""What stands for "never at this pace"."""


def timed(check: Check, evidence: Evidence) -> Check:
    """The check with `more_seconds` beside its `more_requests`, where it has any."""
    more = check.numbers.get("more_requests")
    if more is None:
        return check
    per_second = _per_second(evidence, LEGACY if check.reason == Reason.FEW_LEGACY_REQUESTS else CANARY)
    seconds = min(more / per_second, LONGEST_SECONDS) if per_second > 0 else LONGEST_SECONDS
    return replace(check, numbers={**check.numbers, "more_seconds": seconds})


def _per_second(evidence: Evidence, arm: int) -> float:
    """Valid requests of one version."""
    seconds = (evidence.through_at or 0.0) - evidence.step.started_at
    return float(evidence.step.table.counts[arm, Count.VALID]) / seconds if seconds > 0 else 0.0
