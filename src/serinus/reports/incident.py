"""A rollback from its first sign to its end, and the form of a post-mortem to fill in."""

from collections.abc import Mapping
from hashlib import sha256

from serinus.analysis.verdict import Metric
from serinus.reports import figures, rollouts
from serinus.reports.comparison import judgement
from serinus.reports.document import Column, Questions, Section, Table, Text, Unit, Value
from serinus.reports.facts import CANARY, Facts, Pair, added_up
from serinus.reports.words import Words
from serinus.rollout.events import Detail, Event, EventKind
from serinus.rollout.state import Receipt
from serinus.storage.codec import dump

WHYS = 5
ACTIONS = 3
NUMBERS: Mapping[str, Unit | None] = {
    "requests": Unit.COUNT,
    "counted": Unit.COUNT,
    "expected": Unit.NUMBER,
    "rate": Unit.FRACTION,
    "limit": None,
    "canary": None,
    "legacy": None,
    "margin": Unit.FRACTION,
    "evidence": Unit.COUNT,
    "evidence_needed": Unit.COUNT,
}
"""What a decision may rest on; None is in the unit of its metric."""


def sections(facts: Facts, words: Words) -> tuple[Section, ...]:
    receipt = facts.started.receipt
    if receipt is None:
        raise ValueError("a rollout without a receipt is no incident")
    return (
        words.section("summary", Text(_summary(facts, receipt, words)), rollouts.outcome(words, receipt)),
        words.section("receipt", rollouts.receipt(words, receipt)),
        words.section("breach", *_breach(facts, words)),
        words.section("decision", *_decision(facts, words)),
        words.section("affected", *_affected(facts, receipt, words)),
        words.section("endpoints", figures.endpoints(words, facts.window)),
        words.section("plots", *figures.plots(words, facts.window, figures.marks(words, facts.events))),
        *judgement(facts, words),
        words.section("timeline", rollouts.timeline(words, facts.events)),
        words.section("told", _told(facts, words)),
        words.section("preserved", _preserved(facts, words)),
        words.section("post_mortem", *_post_mortem(words)),
    )


def _summary(facts: Facts, receipt: Receipt, words: Words) -> str:
    met = {True: "summary_met", False: "summary_missed", None: "summary_no_deadline"}[receipt.deadline_met]
    share = _started(facts).details.get("percentage")
    began_at = receipt.breach_at or receipt.decided_at
    last_at = receipt.last_canary_at or receipt.decided_at
    seconds = max(0.0, last_at - began_at)
    return words("text_incident", cause=words.name(receipt.cause), percentage=share, seconds=seconds, met=words(met))


def _breach(facts: Facts, words: Words) -> tuple[Table | Text, ...]:
    """Every limit that was observed to be exceeded, as it was first seen."""
    opened = facts.of(EventKind.BREACH_OPENED)
    if not opened:
        return (Text(words("text_no_breach")),)
    return (rollouts.timeline(words, opened),)


def _decision(facts: Facts, words: Words) -> tuple[Table, ...]:
    """The event that ordered the rollback, with every number that it rests on."""
    event = _started(facts)
    numbers = event.details.get("numbers")
    told = rollouts.timeline(words, [event])
    if not isinstance(numbers, Mapping) or not numbers:
        return (told,)
    of_metric = Unit.MILLISECONDS if event.details.get("metric") == Metric.P95 else Unit.FRACTION
    rows = tuple((words(f"number_{name}") if name in NUMBERS else name, _plain(numbers[name])) for name in numbers)
    units = tuple(NUMBERS.get(name, Unit.NUMBER) or of_metric for name in numbers)
    columns = (words.column("fact"), words.column("value"))
    return told, Table(columns, rows, label=words("label_numbers"), units=units)


def _affected(facts: Facts, receipt: Receipt, words: Words) -> tuple[Text | Table, ...]:
    """By share and count; who they were is not known: no subject is stored."""
    cell = _during(facts, receipt)[CANARY]
    seen, hurt = _classes(cell.slot_requests), _classes(cell.slot_errors)
    share = _started(facts).details.get("percentage")
    lines: tuple[tuple[str, Value, Unit], ...] = (
        ("share", share if isinstance(share, int | float) else None, Unit.PERCENTAGE),
        ("canary_requests", cell.requests, Unit.COUNT),
        ("canary_errors", cell.errors, Unit.COUNT),
        ("canary_error_share", cell.error_rate, Unit.FRACTION),
        ("slow_requests", figures.slow(cell), Unit.COUNT),
        ("classes", words("classes_of", hurt=hurt, seen=seen) if seen else None, Unit.TEXT),
    )
    return Text(words("text_affected")), words.facts(*lines)


def _during(facts: Facts, receipt: Receipt) -> Pair:
    since_at = receipt.breach_at or receipt.decided_at
    until_at = receipt.completed_at or facts.now
    length = facts.window.resolution_seconds
    return added_up(
        tuple(point for point in facts.window.timeline if point.at + length > since_at and point.at < until_at)
    )


def _classes(slots: tuple[int, ...]) -> int:
    return sum(count > 0 for count in slots)


def _told(facts: Facts, words: Words) -> Table:
    """Which channel was told of what, when, and how often it had to be tried."""
    by_number = {event.sequence: event for event in facts.events}
    columns = (
        words.column("number", Unit.COUNT),
        words.column("channel"),
        words.column("what"),
        words.column("at", Unit.INSTANT),
        words.column("after", Unit.SECONDS),
        words.column("attempts", Unit.COUNT),
        words.column("error"),
    )
    rows = tuple(
        (
            told.sequence,
            told.channel,
            rollouts.headline(words, by_number[told.sequence]),
            told.settled_at,
            None if told.settled_at is None else max(0.0, told.settled_at - by_number[told.sequence].at),
            told.attempts,
            told.error or "",
        )
        for told in facts.told
        if told.sequence in by_number
    )
    return Table(columns, rows)


def _preserved(facts: Facts, words: Words) -> Table:
    """Where the evidence lies, and a digest by which a copy of the events can be compared with them."""
    numbers = [event.sequence for event in facts.events if event.sequence is not None]
    digest = sha256("\n".join(map(dump, facts.events)).encode()).hexdigest()
    window = facts.window
    return words.facts(
        ("events_kept", f"{min(numbers)}–{max(numbers)} ({len(numbers)})" if numbers else None, Unit.TEXT),
        ("events_digest", digest, Unit.TEXT),
        ("report_kept", facts.report.at if facts.report else None, Unit.INSTANT),
        ("split_revision", facts.started.split_revision, Unit.TEXT),
        ("since_at", window.since_at, Unit.INSTANT),
        ("until_at", window.until_at, Unit.INSTANT),
        (
            "points_kept",
            sum(any(cell.requests for cell in each.cells.values()) for each in window.timeline),
            Unit.COUNT,
        ),
        ("counts_kept", words("text_retention"), Unit.TEXT),
    )


def _post_mortem(words: Words) -> tuple[Text | Questions | Table, ...]:
    actions = Table(
        tuple(Column(name, words(f"column_{name}")) for name in ("action", "owner", "due")),
        tuple(("", "", "") for _ in range(ACTIONS)),
        label=words("label_actions"),
    )
    whys = tuple(words("question_why", number=number) for number in range(1, WHYS + 1))
    asked = ("question_impact", "question_found", "question_well", "question_badly", "question_luck")
    return Text(words("text_blameless")), Questions((*whys, *(words(name) for name in asked))), actions


def _started(facts: Facts) -> Event:
    return facts.of(EventKind.ROLLBACK_STARTED)[-1]


def _plain(value: Detail) -> Value:
    return value if isinstance(value, str | int | float | None) else str(value)
