"""What a check or a gate has found, as events, the API and people are told of it: one form for all."""

from serinus.analysis.verdict import Check
from serinus.rollout.events import Detail
from serinus.rollout.gates import GateStatus


def detailed(finding: Check | GateStatus) -> dict[str, Detail]:
    """The finding as plain values, in the metric's native units; `messages` makes a sentence of it."""
    return {
        "check": finding.name,
        "metric": finding.metric,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "value": finding.value,
        "need": finding.need,
        "numbers": dict(finding.numbers),
        "since": finding.since,
        "endpoint": finding.endpoint,
        "interval": list(finding.interval) if finding.interval else None,
    }
