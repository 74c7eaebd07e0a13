"""A drill of the rollback: what was broken, what was measured, against which deadline."""

from serinus.reports import rollouts
from serinus.reports.document import Section, Table, Text, Unit, Value
from serinus.reports.facts import Facts
from serinus.reports.words import Words
from serinus.rollout.events import Event

TIMES = ("seen", "decided", "split_changed", "last_canary", "alerted", "recovered")
ALERT_SECONDS = 60.0


def sections(facts: Facts, words: Words) -> tuple[Section, ...]:
    event = facts.drill
    details = event.details
    told = (
        ("fault", words(f"fault_{details['fault']}"), Unit.TEXT),
        ("scope", words(f"scope_{details['scope']}".replace("-", "_")), Unit.TEXT),
        ("plan", str(details.get("plan", "")), Unit.TEXT),
        ("started_by", str(details.get("by", "")), Unit.TEXT),
        ("trigger", _text(event, "trigger"), Unit.TEXT),
        ("cause", words.name(cause) if (cause := _text(event, "cause")) else None, Unit.TEXT),
    )
    verdict = Text(words(f"text_{event.reason}", error=details.get("error") or "", missed=details.get("missed") or []))
    measured = _number(event, "fault_at") is not None
    return (
        words.section("summary", verdict, words.facts(*told)),
        words.section("receipt", _times(event, words) if measured else None),
        words.section("synthetic", Text(words("text_synthetic")), _counts(event, words) if measured else None),
        words.section("timeline", rollouts.timeline(words, facts.events)),
    )


def _times(event: Event, words: Words) -> Table:
    """Seconds since the fault, and the seconds that there were."""
    fault_at, limit = _number(event, "fault_at") or 0.0, _number(event, "deadline_seconds") or 0.0
    missed = event.details.get("missed")
    late = missed if isinstance(missed, list) else []
    decided_at = _number(event, "decided_at") or fault_at
    rows: list[tuple[Value, ...]] = [(words("drill_fault"), fault_at, 0.0, None, None)]
    for name in TIMES:
        at = _number(event, f"{name}_at")
        allowed = decided_at - fault_at + ALERT_SECONDS if name == "alerted" else limit
        rows.append((words(f"drill_{name}"), at, None if at is None else at - fault_at, allowed, name not in late))
    columns = (
        words.column("fact"),
        words.column("at", Unit.INSTANT),
        words.column("after", Unit.SECONDS),
        words.column("allowed", Unit.SECONDS),
        words.column("met", Unit.FLAG),
    )
    return Table(columns, tuple(rows))


def _counts(event: Event, words: Words) -> Table:
    return words.facts(
        ("synthetic_requests", _number(event, "requests"), Unit.COUNT),
        ("synthetic_canary", _number(event, "canary_requests"), Unit.COUNT),
        ("synthetic_hurt", _number(event, "hurt"), Unit.COUNT),
    )


def _number(event: Event, name: str) -> float | None:
    value = event.details.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(event: Event, name: str) -> str | None:
    return str(event.details.get(name) or "") or None
