"""Recorded requests from access logs: CSV, JSON lines, and the combined format of Apache and nginx with two more
fields.
"""

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from serinus.rollout.replay import OTHER_ENDPOINT, DeploymentVersion, Recorded

REQUIRED = ("timestamp", "version", "status", "latency")
FIELDS = (*REQUIRED, "subject", "path")
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
REMEMBERED_PROBLEMS = 3
LONGEST_SECONDS = 86_400.0
# %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i" latency version
_COMBINED = re.compile(
    r'(?P<host>\S+) \S+ (?P<user>\S+) \[(?P<timestamp>[^\]]+)\] "\S+ (?P<path>[^\s"]+)[^"]*" (?P<status>\d{3}) \S+ '
    r'"(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*" "?(?P<latency>[^\s"]+)"? "?(?P<version>[^\s"]+)"?\s*'
)
Fields: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Naming:
    """How a log calls things: its column for a field, the unit of its latencies, and its names of the versions."""

    columns: Mapping[str, str] = field(default_factory=dict)
    unit: str = "s"
    legacy: str = "legacy"
    canary: str = "canary"

    def request(self, fields: Fields) -> Recorded:
        """Raises ValueError, which says what is wrong."""
        found = {name: fields.get(self.columns.get(name, name)) for name in FIELDS}
        missing = [self.columns.get(name, name) for name in REQUIRED if found[name] in (None, "")]
        if missing:
            raise ValueError(f"no {' / '.join(missing)}")
        return Recorded(
            at=_instant(found["timestamp"]),
            version=self._version(str(found["version"])),
            status=_status(found["status"]),
            seconds=_seconds(found["latency"], UNITS[self.unit]),
            subject=str(found["subject"]) if found["subject"] not in (None, "", "-") else None,
            path=str(found["path"] or OTHER_ENDPOINT).partition("?")[0],
        )

    def _version(self, name: str) -> DeploymentVersion:
        versions = {self.legacy.lower(): DeploymentVersion.LEGACY, self.canary.lower(): DeploymentVersion.CANARY}
        if name.lower() not in versions:
            raise ValueError(f"the version {name!r} is neither {self.legacy!r} nor {self.canary!r}")
        return versions[name.lower()]


@dataclass(slots=True)
class AccessLog:
    """Iterates over the requests of `lines`; lines that cannot be used are counted, and the first few kept."""

    lines: Iterable[str]
    format: str
    naming: Naming
    read: int = 0
    unusable: int = 0
    problems: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Recorded]:
        lines = enumerate(self.lines, 1)
        parse = _PARSERS.get(self.format) or partial(_row, _header(next(lines, (1, ""))[1]))
        for number, line in lines:
            if not line.strip():
                continue
            self.read += 1
            try:
                request = self.naming.request(parse(line))
            except ValueError as error:
                self._note(f"line {number}: {error}")
            else:
                yield request

    def _note(self, problem: str) -> None:
        self.unusable += 1
        if len(self.problems) < REMEMBERED_PROBLEMS:
            self.problems.append(problem)


def _row(header: list[str], line: str) -> Fields:
    return dict(zip(header, _cells(line), strict=False))


def _cells(line: str) -> list[str]:
    """Of one line of CSV; a quoted field cannot go on in the next one."""
    try:
        return [cell.strip() for cell in next(csv.reader([line.strip()]), [])]
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _header(line: str) -> list[str]:
    """Nothing when it cannot be read: every line then says which columns are not there."""
    try:
        return _cells(line.removeprefix("\ufeff"))
    except ValueError:
        return []


def _object(line: str) -> Fields:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({error})") from error
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - what every unusable line raises
    return found


def _combined(line: str) -> Fields:
    match = _COMBINED.fullmatch(line)
    if match is None:
        raise ValueError("not the combined format with a latency and a version at its end")
    fields = match.groupdict()
    return {**fields, "subject": fields["host"] if fields["user"] == "-" else fields["user"]}


_PARSERS: Mapping[str, Callable[[str], Fields]] = {"jsonl": _object, "combined": _combined}  # CSV's needs its header


def _instant(value: Any) -> float:
    """Epoch seconds, ISO 8601 (UTC where it says nothing else), or as Apache writes it."""
    try:
        at = float(value)
    except OverflowError as error:
        raise ValueError("the timestamp is beyond all numbers") from error
    except (TypeError, ValueError):
        at = _date(str(value)).timestamp()
    if not (math.isfinite(at) and 0 <= at < 1e11):
        raise ValueError(f"the timestamp {value!r} is not in epoch seconds")
    return at


def _date(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the status {value!r} is no number") from error
    if not 100 <= status <= 599:
        raise ValueError(f"the status {value!r} is none of HTTP's")
    return status


def _seconds(value: Any, unit: float) -> float:
    try:
        seconds = float(value) * unit
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the latency {value!r} is no number") from error
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"the latency {value!r} is negative or absurd")
    return seconds
