"""Reading a nested mapping of unknown content: every problem is collected, none stops the reading."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from itertools import pairwise
from math import nan
from typing import TypeVar

from serinus.errors import InvalidInput, Problem
from serinus.rollout.durations import parse_duration

Choice = TypeVar("Choice", bound=StrEnum)
Kind = TypeVar("Kind")
NUMBER: tuple[type[float], ...] = (int, float)


class Problems:
    """What is wrong so far, each with the line that `lines` knows for its path or for the nearest one around it."""

    def __init__(self, lines: Mapping[str, int]) -> None:
        self.lines = lines
        self.found: list[Problem] = []

    def add(self, where: str, message: str) -> None:
        self.found.append(Problem(where, message, self._line(where)))

    def raise_if_any(self) -> None:
        if self.found:
            raise InvalidInput(*sorted(self.found, key=lambda problem: problem.line or 0))

    def _line(self, where: str) -> int | None:
        while where and where not in self.lines:
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self.lines.get(where)


class Fields:
    """One table. Each reading method takes a key; on a problem it reports it and gives a stand-in that is of the type.

    A key without a default is required. `finish` reports the keys that nobody asked for.
    """

    def __init__(self, table: Mapping[str, object], path: str, problems: Problems) -> None:
        self._table = table
        self._path = path
        self._problems = problems
        self._asked: set[str] = set()

    def problem(self, key: str, message: str) -> None:
        self._problems.add(self.where(key), message)

    def where(self, key: str) -> str:
        return f"{self._path}.{key}".strip(".")

    def has(self, key: str) -> bool:
        return key in self._table

    def text(self, key: str, *, default: str | None = None, check: Callable[[str], str | None] | None = None) -> str:
        """`check` gives the objection to a text, or None."""
        value = self._take(key, str, "a text", default)
        if value is None:
            return ""
        if key in self._table and check and (objection := check(value)):
            self.problem(key, objection)
        return value

    def number(self, key: str, *, above: float, at_most: float, default: float | None = None) -> float:
        """A number in (`above`, `at_most`]; its stand-in is NaN, which no comparison objects to."""
        value = self._take(key, NUMBER, "a number", default)
        if value is None:
            return nan
        if not above < value <= at_most:
            self.problem(key, f"must be above {above:g} and at most {at_most:g}, not {value!s:.20}")
            return nan
        return float(value)

    def whole(self, key: str, *, at_least: int, default: int | None = None) -> int:
        value = self._take(key, int, "a whole number", default)
        if value is None:
            return at_least
        if value < at_least:
            self.problem(key, f"must be at least {at_least}, not {value!s:.20}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key, bool, "true or false", default)
        return default if value is None else value

    def choice(self, key: str, choices: type[Choice], *, default: Choice | None = None) -> Choice:
        names = [choice.value for choice in choices]
        value = self._take(key, str, f"one of {_listed(names)}", None if default is None else default.value)
        if value is None:
            return next(iter(choices))
        if value not in names:
            self.problem(key, f"must be one of {_listed(names)}, not {value!r}{_did_you_mean(value, names)}")
            return next(iter(choices))
        return choices(value)

    def duration(self, key: str, *, at_least: float = 0.0, default: float | None = None) -> float:
        """Seconds of a text such as ``15m``."""
        if key not in self._table and default is not None:
            self._asked.add(key)
            return default
        value = self._take(key, str, 'a duration with its unit, such as "90s", "15m", "24h" or "3d"')
        return at_least if value is None else self._seconds(key, value, at_least)

    def optional_duration(self, key: str, *, at_least: float) -> float | None:
        self._asked.add(key)
        return self.duration(key, at_least=at_least) if key in self._table else None

    def durations(self, key: str) -> tuple[float, ...]:
        """Growing durations above zero; none if the key is absent."""
        values = tuple(self._seconds(f"{key}[{i}]", text, 1.0) for i, text in enumerate(self.texts(key)))
        if any(later <= earlier for earlier, later in pairwise(values)):
            self.problem(key, "must grow from each to the next")
        return values

    def texts(self, key: str, *, check: Callable[[str], str | None] | None = None) -> tuple[str, ...]:
        """A list of different texts; none if the key is absent."""
        found = []
        for i, value in enumerate(self._items(key)):
            if not isinstance(value, str):
                self.problem(f"{key}[{i}]", f"must be a text, not {_kind(value)}")
            elif value in found:
                self.problem(f"{key}[{i}]", f"{value!r} stands there twice")
            else:
                if check and (objection := check(value)):
                    self.problem(f"{key}[{i}]", objection)
                found.append(value)
        return tuple(found)

    def table(self, key: str) -> "Fields":
        """A required table."""
        value: Mapping[str, object] | None = self._take(key, Mapping, "a table")
        return Fields(value or {}, self.where(key), self._problems if value is not None else Problems({}))

    def optional_table(self, key: str) -> "Fields":
        return self.table(key) if key in self._table else Fields({}, self.where(key), self._problems)

    def tables(self, key: str) -> tuple["Fields", ...]:
        """A list of tables; none if the key is absent."""
        found = []
        for i, value in enumerate(self._items(key)):
            if isinstance(value, Mapping):
                found.append(Fields(value, f"{self.where(key)}[{i}]", self._problems))
            else:
                self.problem(f"{key}[{i}]", f"must be a table, not {_kind(value)}")
        return tuple(found)

    def finish(self) -> None:
        """Report what is left over: a key that nobody asks for is a mistake, not a remark."""
        known = sorted(self._asked)
        for key in self._table:
            if key not in self._asked:
                advice = _did_you_mean(key, known) or f"; known are: {_listed(known)}"
                self.problem(key, f"is not known here{advice}")

    def _take(
        self, key: str, kind: type[Kind] | tuple[type[Kind], ...], wanted: str, default: Kind | None = None
    ) -> Kind | None:
        self._asked.add(key)
        if key not in self._table:
            if default is None:
                self.problem(key, f"is missing; it must be {wanted}")
            return default
        value = self._table[key]
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self.problem(key, f"must be {wanted}, not {_kind(value)}")
        return None

    def _items(self, key: str) -> list[object]:
        self._asked.add(key)
        value = self._table.get(key, [])
        if isinstance(value, list | tuple):
            return list(value)
        self.problem(key, f"must be a list, not {_kind(value)}")
        return []

    def _seconds(self, key: str, text: str, at_least: float) -> float:
        seconds = parse_duration(text)
        if seconds is None:
            self.problem(key, f'must be a duration with its unit, such as "90s", "15m", "24h" or "3d", not {text!r}')
        elif seconds < at_least:
            self.problem(key, f"must be at least {at_least:g} s, not {text}")
        return at_least if seconds is None else seconds


def _kind(value: object) -> str:
    """What a value is, in the words of the file's writer; the value itself could be long."""
    kinds = {bool: "true or false", str: "a text", int: "a whole number", float: "a number", type(None): "nothing"}
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list | tuple) else kinds.get(type(value), f"a {type(value).__name__}")


def _listed(names: Iterable[str]) -> str:
    """As they are to be written, in whatever language they are spoken of."""
    return ", ".join(map(repr, names))


def _did_you_mean(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
