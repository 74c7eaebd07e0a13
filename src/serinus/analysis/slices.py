"""Stored snapshots to closed slices: which counts are judged together, decided by the stored rows alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import SLICE_SECONDS, Cell, Snapshot, merge

GRACE_SECONDS = 1.0  # how long after its end a slice waits for the counts of slower agents
NOTHING = Cell()


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot as the store has it: `sequence` grows in the order of storing, `stored_at` is the store's clock."""

    sequence: int
    stored_at: float
    snapshot: Snapshot


class Compared(NamedTuple):
    """What both versions did with the users that the bucket alone assigned."""

    legacy: Cell = NOTHING
    canary: Cell = NOTHING


@dataclass(frozen=True, slots=True)
class Slice:
    """One stratum: compared counts by endpoint under one split, from `started_at` to `ended_at` (epoch seconds).

    `diverted`: by endpoint and slot, the canary's requests that the breakers gave to LEGACY.
    """

    started_at: float
    ended_at: float
    split_revision: int
    endpoints: Mapping[str, Compared] = field(default_factory=lambda: MappingProxyType({}))
    diverted: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))


class _Place(NamedTuple):
    """Where a snapshot is counted; snapshots of the same place are one slice. Places sort in the order of folding.

    `alone` is the sequence of a snapshot that is a slice of its own, and 0 otherwise.
    """

    closes_at: float
    window: float
    split_revision: int
    alone: int


def closed_slices(rows: Iterable[StoredSnapshot], *, after: int, now: float) -> tuple[tuple[Slice, ...], int]:
    """The slices that have closed by `now` among the rows stored after the sequence `after`, and the sequence reached.

    Give the reached sequence as the next call's `after`: no row is then lost or counted twice. A slice of 2 s, aligned
    on the epoch, closes `GRACE_SECONDS` after its end. A row whose slice had closed when it was stored, or had not
    begun by the store's clock, is a slice of its own. A row never closes before those stored before it; which rows
    form a slice therefore depends on the rows only, not on when they are looked at.
    """
    placed: list[tuple[_Place, StoredSnapshot]] = []
    closes_at = float("-inf")
    for row in sorted((row for row in rows if row.sequence > after), key=attrgetter("sequence")):
        place = _place(row)
        closes_at = max(closes_at, place.closes_at)
        if closes_at > now:
            break
        placed.append((place._replace(closes_at=closes_at), row))
    reached = max((row.sequence for _, row in placed), default=after)
    placed.sort(key=lambda pair: pair[0])
    groups = groupby(placed, key=lambda pair: pair[0])
    return tuple(_slice(place, [row for _, row in members]) for place, members in groups), reached


def _place(row: StoredSnapshot) -> _Place:
    snapshot = row.snapshot
    window = snapshot.ended_at // SLICE_SECONDS * SLICE_SECONDS
    closes_at = window + SLICE_SECONDS + GRACE_SECONDS
    if row.stored_at > closes_at or window > row.stored_at:
        return _Place(row.stored_at, window, snapshot.split_revision, row.sequence)
    return _Place(closes_at, window, snapshot.split_revision, 0)


def _slice(place: _Place, rows: list[StoredSnapshot]) -> Slice:
    cells: dict[str, dict[DeploymentVersion, list[Cell]]] = {}
    diverted: dict[str, list[Cell]] = {}
    for row in rows:
        for key, cell in row.snapshot.cells.items():
            if not key.compared and cell.slot_others:
                diverted.setdefault(key.endpoint, []).append(cell)
            if key.compared:
                cells.setdefault(key.endpoint, {}).setdefault(key.version, []).append(cell)
    started_at, ended_at = place.window, place.window + SLICE_SECONDS
    if place.alone:
        ended_at = min(rows[0].snapshot.ended_at, rows[0].stored_at)
        started_at = min(rows[0].snapshot.started_at, ended_at)
    compared = {name: _compared(cells[name]) for name in sorted(cells)}
    others = {name: merge(diverted[name]).slot_others for name in sorted(diverted)}
    return Slice(started_at, ended_at, place.split_revision, compared, others)


def _compared(cells: Mapping[DeploymentVersion, list[Cell]]) -> Compared:
    return Compared(*(merge(cells.get(version, ())) for version in DeploymentVersion))
