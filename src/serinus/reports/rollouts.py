"""What several documents say of a rollout: its plan, its events, its receipt."""

from collections.abc import Iterable

from serinus.analysis.verdict import Metric
from serinus.messages import render_event
from serinus.reports.document import Table, Unit, Value
from serinus.reports.words import Words
from serinus.rollout.events import ITSELF, Event
from serinus.rollout.plan import Plan
from serinus.rollout.state import Receipt, Rollout

RECEIPT_INSTANTS = ("breach_at", "decided_at", "split_changed_at", "last_canary_at", "completed_at", "deadline_at")


def standing(words: Words, rollout: Rollout) -> Table:
    """Where the rollout stands."""
    return words.facts(
        ("rollout", rollout.id, Unit.TEXT),
        ("plan", rollout.plan.name, Unit.TEXT),
        ("phase", words(f"phase_{rollout.phase}"), Unit.TEXT),
        ("step", words("step_of", number=rollout.step + 1, count=len(rollout.plan.steps)), Unit.TEXT),
        ("share", rollout.percentage, Unit.PERCENTAGE),
        ("started_by", rollout.started_by, Unit.TEXT),
        ("started_at", rollout.started_at, Unit.INSTANT),
        ("finished_at", rollout.finished_at, Unit.INSTANT),
    )


def timeline(words: Words, events: Iterable[Event]) -> Table:
    """Event by event, in the order in which they were stored."""
    columns = (
        words.column("number", Unit.COUNT),
        words.column("at", Unit.INSTANT),
        words.column("what"),
        words.column("why"),
    )
    rows = []
    for event in events:
        headline, why = render_event(event, words.language)
        rows.append((event.sequence, event.at, headline, why))
    return Table(columns, tuple(rows))


def headline(words: Words, event: Event) -> str:
    return render_event(event, words.language)[0]


def receipt(words: Words, given: Receipt) -> Table:
    """Instant by instant, with the seconds since the first breach, or else since the decision."""
    began_at = given.breach_at if given.breach_at is not None else given.decided_at
    columns = (words.column("fact"), words.column("at", Unit.INSTANT), words.column("after", Unit.SECONDS))
    instants = ((name, getattr(given, name)) for name in RECEIPT_INSTANTS)
    rows = tuple((words(f"fact_{name}"), at, None if at is None else max(0.0, at - began_at)) for name, at in instants)
    return Table(columns, rows)


def outcome(words: Words, given: Receipt) -> Table:
    """The decision and whether it came in time."""
    last_at = given.last_canary_at if given.last_canary_at is not None else given.decided_at
    left = None if given.deadline_at is None else given.deadline_at - last_at
    lines: tuple[tuple[str, Value, Unit], ...] = (
        ("cause", words.name(given.cause), Unit.TEXT),
        ("severity", words(f"severity_{given.severity}") if given.severity else None, Unit.TEXT),
        ("by", words("itself") if given.by == ITSELF else given.by, Unit.TEXT),
        ("proven", given.proven, Unit.FLAG),
        ("deadline_met", words("no_deadline") if given.deadline_at is None else given.deadline_met, Unit.FLAG),
        ("left_over", left, Unit.SECONDS),
        ("in_flight", given.in_flight, Unit.COUNT),
        ("unheard", ", ".join(given.unheard) or words("nobody"), Unit.TEXT),
    )
    return words.facts(*lines)


def steps(words: Words, plan: Plan) -> Table:
    columns = (
        words.column("step", Unit.COUNT),
        words.column("share", Unit.PERCENTAGE),
        words.column("bake", Unit.SECONDS),
        words.column("evidence"),
        words.column("approvals"),
    )
    rows = tuple(
        (
            number,
            step.percentage,
            step.bake_seconds,
            words(f"evidence_{step.evidence}"),
            ", ".join(gate.name for gate in step.approvals) or words("none"),
        )
        for number, step in enumerate(plan.steps, 1)
    )
    return Table(columns, rows)


def triggers(words: Words, plan: Plan) -> Table:
    columns = (
        words.column("trigger"),
        words.column("limit"),
        words.column("severity"),
        words.column("deadline", Unit.SECONDS),
        words.column("channels"),
    )
    rows = tuple(
        (
            trigger.limit.name,
            limit(words, trigger.limit.metric, trigger.limit.value),
            words(f"severity_{trigger.severity}"),
            trigger.deadline_seconds,
            ", ".join(trigger.channels),
        )
        for trigger in plan.triggers
    )
    return Table(columns, rows)


def limit(words: Words, metric: Metric, value: float) -> str:
    """Such as "error rate > 5.00 %"."""
    unit = Unit.MILLISECONDS if metric is Metric.P95 else Unit.FRACTION
    sign = "<" if metric is Metric.AVAILABILITY else ">"
    return f"{words.name(metric)} {sign} {words.shown(value, unit)}"
