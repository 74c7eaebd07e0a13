"""Values as people read them, and tables of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from serinus.cli.tongue import say

UNKNOWN = "–"


def table(*columns: str, rows: Iterable[Sequence[str | Text]]) -> Table:
    """Columns whose name begins with ">" are aligned to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(say(column.removeprefix(">")), justify="right" if column.startswith(">") else "left")
    for row in rows:
        made.add_row(*(Text(say(cell)) if isinstance(cell, str) else cell for cell in row))
    return made


def percent(fraction: float | None, digits: int = 2) -> str:
    return UNKNOWN if fraction is None else f"{fraction * 100:.{digits}f} %"


def share(percentage: float | None) -> str:
    """Of a percentage, as short as it can be."""
    return UNKNOWN if percentage is None else f"{round(percentage, 1):g} %"


def milliseconds(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"


def points(difference: float | None) -> str:
    return UNKNOWN if difference is None else f"{difference * 100:+.2f} pp"


def increase(fraction: float | None) -> str:
    return UNKNOWN if fraction is None else f"{fraction * 100:+.1f} %"


def count(number: float) -> str:
    return f"{number:,.0f}"


def duration(seconds: float | None) -> str:
    """The two largest units."""
    if seconds is None:
        return UNKNOWN
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == 0 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def clock(at: str | None) -> str:
    """Of an instant in ISO 8601: date and time to the second, in UTC."""
    return UNKNOWN if at is None else f"{at[:10]} {at[11:19]}"


def pair_rows(pair: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Both versions' figures, line by line."""
    legacy, canary = pair["legacy"], pair["canary"]
    formats = (
        ("requests", "request_count", count),
        ("errors", "error_count", count),
        ("client errors", "client_error_count", count),
        ("error rate", "error_rate", percent),
        ("availability", "availability", percent),
        ("average", "avg_response_time_ms", milliseconds),
        ("P50", "p50_response_time_ms", milliseconds),
        ("P95", "p95_response_time_ms", milliseconds),
        ("P99", "p99_response_time_ms", milliseconds),
    )
    return [(label, shown(legacy[name]), shown(canary[name])) for label, name, shown in formats]
