"""Tables and plots of what was measured, as several documents show them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from serinus.analysis.intervals import p95_increase, rate_difference, sample_of
from serinus.analysis.means import mean_difference
from serinus.analysis.verdict import Check
from serinus.metrics.moments import NONE
from serinus.metrics.sketch import SLOW_BIN, quantile
from serinus.metrics.snapshot import Cell
from serinus.reports.document import Mark, Plot, Series, Table, Unit, Value
from serinus.reports.facts import CANARY, LEGACY, Pair, Window, added_up
from serinus.reports.words import Words
from serinus.rollout.events import Event, EventKind
from serinus.rollout.findings import detailed
from serinus.storage.rollups import TimelinePoint

HOUR = 3_600
PATTERN_FROM_SECONDS = 6 * HOUR
PEAK_HOURS = 3
MARKED = {
    EventKind.STEP_ENTERED: "mark_step",
    EventKind.PROMOTED: "mark_promoted",
    EventKind.BREACH_OPENED: "mark_breach",
    EventKind.ROLLBACK_STARTED: "mark_rollback",
    EventKind.ROLLBACK_COMPLETED: "mark_back",
}


def p95(cell: Cell) -> float | None:
    return quantile(cell.latency, cell.latency_seconds, 0.95)


def slow(cell: Cell) -> int:
    """Requests that took longer than 2 s."""
    return sum(count for bin_, count in cell.latency.items() if bin_ > SLOW_BIN)


def figures(words: Words, cells: Mapping[str, Cell]) -> Table:
    """One line for each name."""
    columns = (
        words.column("version"),
        words.column("requests", Unit.COUNT),
        words.column("errors", Unit.COUNT),
        words.column("client_errors", Unit.COUNT),
        words.column("error_rate", Unit.FRACTION),
        words.column("availability", Unit.FRACTION),
        *(words.column(name, Unit.MILLISECONDS) for name in ("p50_ms", "p95_ms", "p99_ms")),
    )
    return Table(columns, tuple((name, *_figures(cell)) for name, cell in cells.items()))


def both(words: Words, pair: Pair) -> Table:
    return figures(words, {version.upper(): pair[version] for version in (LEGACY, CANARY)})


def difference(words: Words, pair: Pair) -> Table:
    """CANARY against LEGACY with intervals that hold for this one look."""
    legacy, canary = pair[LEGACY], pair[CANARY]
    samples = sample_of(canary), sample_of(legacy)
    rate, increase = rate_difference(*samples), p95_increase(*samples)
    lines = (
        (words("fact_error_rate_difference"), _difference(canary, legacy), *(rate or (None, None))),
        (words("fact_p95_increase"), _increase(canary, legacy), *(increase or (None, None))),
    )
    rows = tuple(
        (label, *(words.shown(value, unit) for value in values))
        for (label, *values), unit in zip(lines, (Unit.POINTS, Unit.CHANGE), strict=True)
    )
    columns = tuple(words.column(name) for name in ("fact", "difference", "from", "to"))
    return Table(columns, rows, label=words("label_intervals"))


def values(words: Words, pair: Pair) -> Table | None:
    """Business measures that the service recorded, user feedback among them; None without any."""
    legacy, canary = pair[LEGACY].values, pair[CANARY].values
    columns = (
        words.column("measure"),
        words.column("legacy_count", Unit.COUNT),
        words.column("canary_count", Unit.COUNT),
        *(words.column(name, Unit.NUMBER) for name in ("legacy_mean", "canary_mean", "difference", "from", "to")),
    )
    rows = []
    for name in sorted({*legacy, *canary}):
        old, new = legacy.get(name, NONE), canary.get(name, NONE)
        means = (old.mean if old.count else None, new.mean if new.count else None)
        difference = new.mean - old.mean if old.count and new.count else None
        rows.append((name, old.count, new.count, *means, difference, *(mean_difference(new, old) or (None, None))))
    return Table(columns, tuple(rows), label=words("label_values")) if rows else None


def endpoints(words: Words, window: Window) -> Table | None:
    """Line by line; None without any."""
    return versus(words, "endpoint", window.endpoints) if window.endpoints else None


def versus(words: Words, first: str, pairs: Mapping[str, Pair], label: str = "") -> Table:
    """One line for each pair, LEGACY's and CANARY's figures beside each other."""
    columns = (
        words.column(first),
        *(words.column(f"{version}_requests", Unit.COUNT) for version in ("legacy", "canary")),
        *(words.column(f"{version}_error_rate", Unit.FRACTION) for version in ("legacy", "canary")),
        *(words.column(f"{version}_p95_ms", Unit.MILLISECONDS) for version in ("legacy", "canary")),
    )
    measures: tuple[Callable[[Cell], Value], ...] = (lambda cell: cell.requests, lambda cell: cell.error_rate, p95)
    rows = tuple(
        (name, *(measure(pair[version]) for measure in measures for version in (LEGACY, CANARY)))
        for name, pair in pairs.items()
    )
    return Table(columns, rows, label)


def checks(words: Words, several: Iterable[Check], label: str = "") -> Table | None:
    """What the controller asked, and the answers; None without any."""
    return findings(words, ({"name": check.name, **detailed(check)} for check in several), label)


def findings(words: Words, several: Iterable[Mapping[str, Any]], label: str = "") -> Table | None:
    """The same, of findings as events tell them."""
    rows = tuple(
        (words.name(each["name"]), words(f"verdict_{each['verdict']}"), words.finding(each)) for each in several
    )
    columns = tuple(words.column(name) for name in ("check", "verdict", "finding"))
    return Table(columns, rows, label) if rows else None


def finding(words: Words, check: Check) -> str:
    """The sentence of a check: since when, how much, where, and between which bounds."""
    return words.finding(detailed(check))


def plots(words: Words, window: Window, marked: tuple[Mark, ...] = ()) -> tuple[Plot, ...]:
    """Requests a minute, error rate and P95 of both versions over the window."""
    per_minute = 60 / window.resolution_seconds
    drawn: tuple[tuple[str, Unit, Callable[[Cell], float | None]], ...] = (
        ("requests", Unit.COUNT, lambda cell: cell.requests * per_minute),
        ("error_rate", Unit.FRACTION, lambda cell: cell.error_rate),
        ("p95", Unit.MILLISECONDS, p95),
    )
    return tuple(Plot(name, words(f"plot_{name}"), unit, _series(window, value), marked) for name, unit, value in drawn)


def marks(words: Words, events: Iterable[Event]) -> tuple[Mark, ...]:
    """The turning points of a rollout."""
    return tuple(
        Mark(event.at, words(MARKED[event.kind], percentage=event.details.get("percentage")))
        for event in events
        if event.kind in MARKED
    )


def by_hour(window: Window) -> dict[int, Pair]:
    """The window's points by the hour of the day (UTC) that they begin in."""
    hours: dict[int, list[TimelinePoint]] = {}
    for point in window.timeline:
        if any(cell.requests for cell in point.cells.values()):
            hours.setdefault(datetime.fromtimestamp(point.at, UTC).hour, []).append(point)
    return {hour: added_up(tuple(points)) for hour, points in sorted(hours.items())}


def daily_pattern(words: Words, window: Window) -> Table | None:
    """Hour by hour of the day; None for a window that is too short to have a pattern."""
    if not _has_pattern(window):
        return None
    return versus(words, "hour", _named(by_hour(window)), words("label_daily_pattern"))


def peak_hours(words: Words, window: Window) -> Table | None:
    """The hours of the day with the most requests, the busiest first."""
    if not _has_pattern(window):
        return None
    busiest = sorted(by_hour(window).items(), key=lambda item: -_requests(item[1]))[:PEAK_HOURS]
    return versus(words, "hour", _named(dict(busiest)), words("label_peak_hours"))


def trend(words: Words, window: Window) -> Table | None:
    """The window's first half against its second; None without requests in both."""
    middle = window.since_at + window.seconds / 2
    first = added_up(tuple(point for point in window.timeline if point.at < middle))
    second = added_up(tuple(point for point in window.timeline if point.at >= middle))
    if not (_requests(first) and _requests(second)):
        return None
    pairs = {words("first_half"): first, words("second_half"): second}
    return versus(words, "part", pairs, words("label_trend"))


def _has_pattern(window: Window) -> bool:
    return window.seconds >= PATTERN_FROM_SECONDS and window.resolution_seconds <= HOUR


def _named(hours: Mapping[int, Pair]) -> dict[str, Pair]:
    return {f"{hour:02}:00": pair for hour, pair in hours.items()}


def _requests(pair: Pair) -> int:
    return sum(cell.requests for cell in pair.values())


def _series(window: Window, value: Callable[[Cell], float | None]) -> tuple[Series, ...]:
    """A version without a single request has no line."""
    return tuple(
        Series(
            version,
            version.upper(),
            tuple(
                (point.at, value(cell) if (cell := point.cells[version]).requests else None)
                for point in window.timeline
            ),
        )
        for version in (LEGACY, CANARY)
        if any(point.cells[version].requests for point in window.timeline)
    )


def _figures(cell: Cell) -> tuple[Value, ...]:
    quantiles = (quantile(cell.latency, cell.latency_seconds, share) for share in (0.5, 0.95, 0.99))
    return (cell.requests, cell.errors, cell.client_errors, cell.error_rate, cell.availability, *quantiles)


def _difference(canary: Cell, legacy: Cell) -> float | None:
    rates = canary.error_rate, legacy.error_rate
    return None if rates[0] is None or rates[1] is None else rates[0] - rates[1]


def _increase(canary: Cell, legacy: Cell) -> float | None:
    return None if (new := p95(canary)) is None or not (old := p95(legacy)) else new / old - 1
