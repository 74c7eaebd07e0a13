"""What a load test measured: Locust's tables read, judged by what was demanded, and written down."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from picture import plot

ALL = "Aggregated"
RECOMMEND, TURN = "/api/v2/recommend/personalized", "/api/v2/conversations/{session_id}/turn"
DEMANDED_MS = 500  # what the service's customer was promised, for the slowest request of a hundred
GOAL_P95_MS = {RECOMMEND: 5, TURN: 10}


@dataclass(frozen=True, slots=True)
class Row:
    """What one endpoint did under the load; times in milliseconds, as the client saw them, None without a request."""

    name: str
    requests: int
    failures: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    requests_per_second: float


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which requests to one endpoint failed."""

    name: str
    error: str
    times: int


@dataclass(frozen=True, slots=True)
class Instant:
    """All endpoints over the last seconds before `at_seconds` after the start; the times are None without a request."""

    at_seconds: float
    users: int
    requests_per_second: float
    p50_ms: float | None
    p95_ms: float | None
    failures: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One demand, and whether it is met; a goal that is missed is told and fails nothing."""

    demand: str
    value: float | None
    need: float
    met: bool
    is_goal: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole run; `memory` is of the service's process, in MiB by seconds since the start, and empty for another's."""

    rows: Sequence[Row]
    failures: Sequence[Failure]
    history: Sequence[Instant]
    memory: Sequence[tuple[float, float]]


def judge(rows: Sequence[Row], least_requests: int) -> Iterator[Finding]:
    """Every demand on the measured `rows`, whose last one is of all endpoints together."""
    total = next(row for row in rows if row.name == ALL)
    yield Finding("requests, at least", total.requests, least_requests, total.requests >= least_requests)
    yield Finding("failed requests, at most", total.failures, 0, total.failures == 0)
    by_name = {row.name: row for row in rows}
    for name, goal in GOAL_P95_MS.items():
        row = by_name.get(name)
        yield _below(f"{name}: P99, ms, below", row and row.p99_ms, DEMANDED_MS)
        yield _below(f"{name}: P95, ms, below", row and row.p95_ms, goal, is_goal=True)


def _below(demand: str, value: float | None, need: float, *, is_goal: bool = False) -> Finding:
    """What nobody asked for was not fast."""
    return Finding(demand, value, need, met=value is not None and value < need, is_goal=is_goal)


def read(folder: Path, memory: Sequence[tuple[float, float]]) -> Measured:
    """What Locust wrote into `folder`."""
    failures = [
        Failure(line["Name"], _said(line["Error"]), int(line["Occurrences"]))
        for line in _lines(folder / "locust_failures.csv")
    ]
    return Measured(_rows(folder / "locust_stats.csv"), failures, history(folder), memory)


def history(folder: Path) -> list[Instant]:
    """What Locust has told so far, second by second; empty as long as it has told nothing."""
    path = folder / "locust_stats_history.csv"
    lines = (
        [line for line in _lines(path) if line["Name"] == ALL and None not in line.values()] if path.exists() else []
    )
    return [
        Instant(
            at_seconds=int(line["Timestamp"]) - int(lines[0]["Timestamp"]),
            users=int(line["User Count"]),
            requests_per_second=float(line["Requests/s"]),
            p50_ms=_number(line["50%"]),
            p95_ms=_number(line["95%"]),
            failures=int(line["Total Failure Count"]),
        )
        for line in lines
    ]


def write(folder: Path, profile: str, measured: Measured, findings: Sequence[Finding]) -> None:
    """`summary.md` and its plots."""
    plots = {
        "latency": plot({name: _series(measured.history, f"{name.lower()}_ms") for name in ("P50", "P95")}, "ms"),
        "throughput": plot(
            {
                "users": _series(measured.history, "users"),
                "requests a second": _series(measured.history, "requests_per_second"),
            },
            "",
        ),
    }
    if measured.memory:
        plots["memory"] = plot({"memory of the service": measured.memory}, "MiB")
    for name, picture in plots.items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    text = "\n".join([*_summary(profile, measured, findings), *(f"![{name}]({name}.svg)\n" for name in plots)])
    (folder / "summary.md").write_text(text, encoding="utf-8")


def _summary(profile: str, measured: Measured, findings: Sequence[Finding]) -> Iterator[str]:
    yield from (f"# Load test: {profile}", "", "| demand | measured | need | |", "|---|---:|---:|---|")
    for finding in findings:
        word = "met" if finding.met else "goal missed" if finding.is_goal else "NOT MET"
        yield f"| {finding.demand} | {_shown(finding.value)} | {finding.need:g} | {word} |"
    yield from ("", "| endpoint | requests | failed | P50 ms | P95 ms | P99 ms | per second |")
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for row in measured.rows:
        name = "all together" if row.name == ALL else row.name
        times = " | ".join(map(_shown, (row.p50_ms, row.p95_ms, row.p99_ms)))
        yield f"| {name} | {row.requests} | {row.failures} | {times} | {row.requests_per_second:.1f} |"
    yield ""
    if measured.failures:
        yield from ("| what failed | how | times |", "|---|---|---:|")
        yield from (f"| {each.name} | {each.error.replace('|', ' ')} | {each.times} |" for each in measured.failures)
        yield ""
    if measured.memory:
        before, after = measured.memory[0][1], measured.memory[-1][1]
        yield f"Memory of the service: {before:.0f} MiB before, {after:.0f} MiB after.\n"


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _rows(table: Path) -> list[Row]:
    return [
        Row(
            name=line["Name"],
            requests=int(line["Request Count"]),
            failures=int(line["Failure Count"]),
            p50_ms=_number(line["50%"]),
            p95_ms=_number(line["95%"]),
            p99_ms=_number(line["99%"]),
            requests_per_second=float(line["Requests/s"]),
        )
        for line in _lines(table)
    ]


def _series(history: Sequence[Instant], field: str) -> list[tuple[float, float]]:
    values = ((instant.at_seconds, getattr(instant, field)) for instant in history)
    return [(at, value) for at, value in values if value is not None]


def _number(text: str) -> float | None:
    return None if text == "N/A" else float(text)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _said(error: str) -> str:
    """What the client says, without the name of Locust's class around it."""
    return error.removeprefix("CatchResponseError('").removesuffix("')")
