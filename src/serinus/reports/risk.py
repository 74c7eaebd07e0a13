"""What could go wrong at this point, how far it would reach, and what stands against it."""

from enum import IntEnum

from serinus.reports.document import Table, Text, Value
from serinus.reports.facts import Facts
from serinus.reports.words import Words
from serinus.rollout.plan import Plan, Severity
from serinus.rollout.state import Rollout

SMALL_SHARE, LARGE_SHARE = 10.0, 50.0


class Level(IntEnum):
    LOW = 0
    MEDIUM = 1
    HIGH = 2


def risk(facts: Facts, words: Words) -> tuple[Text | Table, ...]:
    """The worst single line is the whole's."""
    lines = _lines(facts, words)
    worst = max(level for _, level, _ in lines)
    columns = tuple(words.column(name) for name in ("risk", "level", "basis"))
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (words(f"risk_{name}"), words(f"level_{level.name.lower()}"), basis) for name, level, basis in lines
    )
    return Text(words("text_risk", level=words(f"level_{worst.name.lower()}"))), Table(columns, rows)


def _lines(facts: Facts, words: Words) -> list[tuple[str, Level, str]]:
    rollout = facts.rollout
    return [
        ("exposure", *_exposure(facts, words)),
        ("rollback", *_rollback(rollout, words)),
        ("watch", *_watch(facts, words)),
        ("alerts", *_alerts(facts, words)),
        ("open", *_open(rollout, words)),
    ]


def _exposure(facts: Facts, words: Words) -> tuple[Level, str]:
    """How many requests a canary that fails them all could fail until the critical deadline."""
    rollout = facts.rollout
    if rollout is None:
        return Level.MEDIUM, words("no_evidence")
    share = rollout.percentage or rollout.plan.steps[0].percentage
    level = Level.LOW if share <= SMALL_SHARE else Level.MEDIUM if share <= LARGE_SHARE else Level.HIGH
    deadline = _critical_deadline(rollout.plan)
    rate = _rate(facts)
    if deadline is None or rate is None:
        return level, words("basis_share", percentage=share)
    return level, words("basis_exposure", percentage=share, requests=rate * share / 100 * deadline, seconds=deadline)


def _rollback(rollout: Rollout | None, words: Words) -> tuple[Level, str]:
    if rollout is None:
        return Level.MEDIUM, words("no_evidence")
    deadline = _critical_deadline(rollout.plan)
    if deadline is None:
        return Level.HIGH, words("basis_no_critical_trigger")
    return Level.LOW, words("basis_triggers", count=len(rollout.plan.triggers), seconds=deadline)


def _watch(facts: Facts, words: Words) -> tuple[Level, str]:
    if not facts.installation.is_watched:
        return Level.HIGH, words("basis_unwatched")
    return Level.LOW, words("seen_controller", seconds=facts.installation.controller_silent_seconds)


def _alerts(facts: Facts, words: Words) -> tuple[Level, str]:
    """Channels that the plan counts on, and that lead nowhere."""
    there = set(facts.installation.channels)
    wanted = facts.rollout.plan.channels if facts.rollout else frozenset()
    missing = sorted(wanted - there - {"log"})
    if missing:
        return Level.MEDIUM, words("basis_channels_missing", names=missing)
    if not there:
        return Level.MEDIUM, words("basis_log_alone")
    return Level.LOW, words("basis_channels", names=sorted(there))


def _open(rollout: Rollout | None, words: Words) -> tuple[Level, str]:
    if rollout is None:
        return Level.LOW, words("seen_calm")
    if rollout.breaches:
        return Level.HIGH, words("basis_breaches", names=[breach.trigger for breach in rollout.breaches])
    if rollout.frozen_by:
        return Level.MEDIUM, words("basis_frozen", name=rollout.frozen_by)
    return Level.LOW, words("seen_calm")


def _critical_deadline(plan: Plan) -> float | None:
    deadlines = [trigger.deadline_seconds for trigger in plan.triggers if trigger.severity is Severity.CRITICAL]
    return min(deadlines, default=None)


def _rate(facts: Facts) -> float | None:
    """All requests a second, where there were any."""
    for window in (facts.window, facts.baseline):
        if window is None:
            continue
        busy = [each for each in window.timeline if any(cell.requests for cell in each.cells.values())]
        requests = sum(cell.requests for each in busy for cell in each.cells.values())
        if requests:
            return requests / (len(busy) * window.resolution_seconds)
    return None
