"""A document as a value: what it says, before it is decided how it looks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | float | int | bool | None


class Kind(StrEnum):
    """What there is to ask for."""

    BASELINE = "baseline"
    COMPARISON = "comparison"
    CHECKPOINT = "checkpoint"
    READINESS = "readiness"
    INCIDENT = "incident"
    DRILL = "drill"


class Unit(StrEnum):
    """What a number counts, so that every reader's form of it can be made at the edge."""

    TEXT = "text"
    COUNT = "count"
    FRACTION = "fraction"
    POINTS = "points"
    CHANGE = "change"
    PERCENTAGE = "percentage"
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"
    INSTANT = "instant"
    FLAG = "flag"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the field in JSON, `label` the heading that people read."""

    name: str
    label: str
    unit: Unit = Unit.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """`units` overrides the columns' unit for single rows: a table of facts has one for every line."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    label: str = ""
    units: tuple[Unit | None, ...] = ()

    def unit(self, row: int, column: int) -> Unit:
        """The last column of a table of facts is in the line's own unit."""
        own = self.units[row] if self.units and column == len(self.columns) - 1 else None
        return own or self.columns[column].unit


@dataclass(frozen=True, slots=True)
class Series:
    """Points are (epoch seconds, value); None is a gap."""

    name: str
    label: str
    points: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant that the reader should see in a plot."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """`limit` is drawn as a line of its own."""

    name: str
    label: str
    unit: Unit
    series: tuple[Series, ...]
    marks: tuple[Mark, ...] = ()
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Something to be done, and what shows that it was."""

    name: str
    label: str
    done: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Checklist:
    items: tuple[Item, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Questions:
    """What only people can answer: each is followed by room to write."""

    texts: tuple[str, ...]


Block: TypeAlias = Text | Table | Plot | Checklist | Questions


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """`subtitle` says of what and as of when."""

    kind: Kind
    title: str
    subtitle: str
    language: str
    made_at: float
    rollout_id: str | None
    sections: tuple[Section, ...]
