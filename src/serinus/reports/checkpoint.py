"""The figures of a step at a given age: trend, daily pattern, peak hours."""

from collections.abc import Mapping, Sequence
from typing import Any

from serinus.reports import figures, rollouts
from serinus.reports.document import Section, Table, Text, Unit, Value
from serinus.reports.facts import Facts
from serinus.reports.words import Words
from serinus.rollout.events import Event, EventKind


def sections(facts: Facts, words: Words) -> tuple[Section, ...]:
    window = facts.window
    made = facts.of(EventKind.CHECKPOINT)
    last = made[-1]
    same_step = [event for event in made if event.details.get("step") == last.details.get("step")]
    since = [event for event in facts.events if window.since_at <= event.at <= last.at]
    return (
        words.section("standing", rollouts.standing(words, facts.started)),
        words.section(
            "checkpoint",
            Text(words("text_checkpoint", age=last.details.get("checkpoint_seconds"), at=last.at)),
            _figures(last, words),
            _checks(last, words),
        ),
        words.section("checkpoints", _all(same_step, words)),
        words.section(
            "trend", figures.trend(words, window), *figures.plots(words, window, figures.marks(words, since))
        ),
        words.section("feedback", figures.values(words, window.total) or Text(words("text_no_values"))),
        words.section("pattern", *_pattern(facts, words)),
        words.section("endpoints", figures.endpoints(words, window)),
        words.section("timeline", rollouts.timeline(words, since)),
    )


def _pattern(facts: Facts, words: Words) -> tuple[Table | Text | None, ...]:
    peaks, pattern = figures.peak_hours(words, facts.window), figures.daily_pattern(words, facts.window)
    return (peaks, pattern) if pattern else (Text(words("text_too_short_for_a_pattern")),)


def _figures(event: Event, words: Words) -> Table:
    """As the event tells them: of the compared requests, LEGACY weighted to when the canary had its own."""
    columns = (
        words.column("version"),
        words.column("requests", Unit.COUNT),
        words.column("errors", Unit.COUNT),
        words.column("error_rate", Unit.FRACTION),
        words.column("availability", Unit.FRACTION),
        words.column("p95_ms", Unit.MILLISECONDS),
        words.column("p99_ms", Unit.MILLISECONDS),
    )
    names = ("requests", "errors", "error_rate", "availability", "p95_ms", "p99_ms")
    rows = tuple((version.upper(), *(_of(event, version, name) for name in names)) for version in ("legacy", "canary"))
    return Table(columns, rows, label=words("label_compared"))


def _checks(event: Event, words: Words) -> Table:
    several = event.details.get("checks")
    checks = [check for check in (several if isinstance(several, list) else ()) if isinstance(check, Mapping)]
    rows = tuple(
        (_named(checks, place, words), words(f"verdict_{check['verdict']}"), words.finding(check))
        for place, check in enumerate(checks)
    )
    return Table(tuple(words.column(name) for name in ("check", "verdict", "finding")), rows, label=words("label_slo"))


def _named(checks: Sequence[Mapping[str, Any]], place: int, words: Words) -> str:
    """A check whose name has been there before is the proof of it."""
    code = str(checks[place]["check"])
    name = words.name(code)
    return words("proof_of", check=name) if any(check["check"] == code for check in checks[:place]) else name


def _all(several: list[Event], words: Words) -> Table:
    columns = (
        words.column("age", Unit.SECONDS),
        words.column("at", Unit.INSTANT),
        words.column("share", Unit.PERCENTAGE),
        words.column("canary_requests", Unit.COUNT),
        *(words.column(f"{version}_error_rate", Unit.FRACTION) for version in ("legacy", "canary")),
        *(words.column(f"{version}_p95_ms", Unit.MILLISECONDS) for version in ("legacy", "canary")),
    )
    figures_of = [(version, name) for name in ("error_rate", "p95_ms") for version in ("legacy", "canary")]
    rows = tuple(
        (
            _number(event.details.get("checkpoint_seconds")),
            event.at,
            _number(event.details.get("percentage")),
            _of(event, "canary", "requests"),
            *(_of(event, version, name) for version, name in figures_of),
        )
        for event in several
    )
    return Table(columns, rows)


def _of(event: Event, version: str, name: str) -> Value:
    told = event.details.get(version)
    return _number(told.get(name)) if isinstance(told, Mapping) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) else None
