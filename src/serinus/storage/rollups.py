"""Snapshots added up by the minute, ten minutes, hour and day, so that long views are quick.

For display alone: decisions use slices, which only the snapshots tell. A snapshot counts for the time in which it
ended, (start, start + span], whenever it is stored. What is not rolled up yet is read from the snapshots themselves.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TypeAlias

from sqlalchemy import ColumnElement, Row, Select, and_, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.aside import aside
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Cell, CellKey
from serinus.storage.cells import Cells, add_up, add_up_parts, pack, unpack
from serinus.storage.tables import count_up, counters, rollups, snapshots

MINUTE, TEN_MINUTES, HOUR, DAY = 60, 600, 3_600, 86_400
SPANS = (MINUTE, TEN_MINUTES, HOUR, DAY)
"""How many seconds a row holds; each span is a whole number of the one before."""
EVER = 0
"""The span of the rows that hold everything there ever was: they are never pruned, so that they only grow."""
EVERYWHERE = ""
"""The endpoint of the rows that hold all endpoints together; a route template begins with "/"."""
ROLLED_UP = "rollups"
READ_AT_ONCE = 20
NOTHING = Cell()

_Piece: TypeAlias = tuple[float, Cells]
"""Counts, and the instant until which they were counted."""
_Counted: TypeAlias = Mapping[tuple[float, CellKey], Cell]
"""The same, cell by cell."""


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """What both versions did from `at` (epoch seconds) until the next point."""

    at: float
    cells: Mapping[DeploymentVersion, Cell]


async def roll_up(connection: AsyncConnection, limit: int) -> int:
    """Add the oldest `limit` snapshots that are not rolled up yet to their rows; returns how many they were."""
    reached = await count_up(connection, ROLLED_UP, 0)  # locks the counter: nobody else rolls up the same ones
    oldest = select(snapshots.c.sequence).where(snapshots.c.sequence > reached).order_by(snapshots.c.sequence)
    sequences = (await connection.execute(oldest.limit(limit))).scalars().all()
    if not sequences:
        return 0
    counted = await _by_minute(connection, reached, sequences[-1])
    for span in SPANS:
        counted = await aside(_by_span, counted, span)
        for until_at, cells in _by_time(counted).items():
            await _add(connection, span, until_at - span, cells)
    await _add(connection, EVER, 0.0, await aside(_ever, counted))
    await count_up(connection, ROLLED_UP, sequences[-1] - reached)
    return len(sequences)


async def read_window(connection: AsyncConnection, since_at: float, endpoint: str | None) -> Cells:
    """All agents' counts that ended after `since_at`, added up."""
    apart = rollups.c.endpoint != EVERYWHERE if endpoint is None else rollups.c.endpoint == endpoint
    queries = _queries(SPANS, since_at, inf, await _reached(connection), apart)
    return await add_up_parts(
        [(key, cell) for _, cells in part for key, cell in cells.items() if endpoint in {None, key.endpoint}]
        async for part in _parts(connection, queries)
    )


async def read_totals(connection: AsyncConnection) -> Cells:
    """All agents' counts since the store began: what is rolled up, and the few snapshots that are not."""
    ever = select(rollups.c.started_at.label("at"), rollups.c.cells).where(
        rollups.c.span_seconds == EVER, rollups.c.endpoint != EVERYWHERE
    )
    fresh = select(snapshots.c.ended_at.label("at"), snapshots.c.cells)
    queries = [ever, fresh.where(snapshots.c.sequence > await _reached(connection))]
    return await add_up_parts(
        [pair for _, cells in part for pair in cells.items()] async for part in _parts(connection, queries)
    )


async def read_timeline(
    connection: AsyncConnection, since_at: float, until_at: float, resolution_seconds: int, endpoint: str | None
) -> tuple[TimelinePoint, ...]:
    """Every point of which a part is between the two instants, whole; points begin at multiples of the resolution."""
    since_at, until_at = since_at // resolution_seconds * resolution_seconds, _up(until_at, resolution_seconds)
    spans = [span for span in SPANS if resolution_seconds % span == 0][-1:]
    which = rollups.c.endpoint == (EVERYWHERE if endpoint is None else endpoint)
    queries = _queries(spans, since_at, until_at, await _reached(connection), which)
    total = await add_up_parts(
        [
            ((_up(at, resolution_seconds) - resolution_seconds, key.version), cell)
            for at, cells in part
            for key, cell in cells.items()
            if endpoint in {None, key.endpoint}
        ]
        async for part in _parts(connection, queries)
    )
    starts = map(float, range(int(since_at), int(until_at), resolution_seconds))
    return tuple(
        TimelinePoint(at, {version: total.get((at, version), NOTHING) for version in DeploymentVersion})
        for at in starts
    )


async def prune_rollups(connection: AsyncConnection, before_at: float) -> None:
    old = and_(rollups.c.span_seconds.in_(SPANS), rollups.c.started_at < before_at)
    await connection.execute(delete(rollups).where(old))


async def _add(connection: AsyncConnection, span: int, started_at: float, cells: Cells) -> None:
    fresh = await aside(_by_endpoint, cells)
    here = and_(rollups.c.span_seconds == span, rollups.c.started_at == started_at, rollups.c.endpoint.in_(list(fresh)))
    found = (await connection.execute(select(rollups.c.endpoint, rollups.c.cells).where(here))).all()
    before = {row.endpoint: row.cells for row in found}
    packed = await aside(_packed, fresh, before, _name(started_at + span))
    await connection.execute(delete(rollups).where(here))
    place = {"span_seconds": span, "started_at": started_at}
    rows = [{**place, "endpoint": endpoint, "cells": cells} for endpoint, cells in packed.items()]
    await connection.execute(insert(rollups), rows)


def _packed(fresh: Mapping[str, Cells], before: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """Each endpoint's cells with those that were stored before."""
    known = {endpoint: unpack(cells, name) for endpoint, cells in before.items()}
    pairs = {endpoint: [*known.get(endpoint, {}).items(), *cells.items()] for endpoint, cells in fresh.items()}
    return {endpoint: pack(add_up(each)) for endpoint, each in pairs.items()}


async def _by_minute(connection: AsyncConnection, after: int, last: int) -> _Counted:
    """The snapshots with these numbers, by the end of their minute."""
    among = snapshots.c.sequence.between(after + 1, last)
    query = select(snapshots.c.ended_at.label("at"), snapshots.c.cells).where(among)
    return await add_up_parts(
        [((_up(at, MINUTE), key), cell) for at, cells in part for key, cell in cells.items()]
        async for part in _parts(connection, [query])
    )


def _by_span(counted: _Counted, span: int) -> _Counted:
    return add_up(((_up(until_at, span), key), cell) for (until_at, key), cell in counted.items())


def _ever(counted: _Counted) -> Cells:
    return add_up((key, cell) for (_, key), cell in counted.items())


def _by_time(counted: _Counted) -> dict[float, dict[CellKey, Cell]]:
    together: dict[float, dict[CellKey, Cell]] = defaultdict(dict)
    for (until_at, key), cell in counted.items():
        together[until_at][key] = cell
    return together


def _by_endpoint(cells: Cells) -> dict[str, Cells]:
    """Each endpoint's cells, and those of all endpoints together."""
    apart: dict[str, dict[CellKey, Cell]] = defaultdict(dict)
    for key, cell in cells.items():
        apart[key.endpoint][key] = cell
    everywhere = add_up((key._replace(endpoint=EVERYWHERE), cell) for key, cell in cells.items())
    return {**apart, EVERYWHERE: everywhere}


async def _reached(connection: AsyncConnection) -> int:
    """The number of the last snapshot that is rolled up."""
    return int((await connection.execute(select(counters.c.value).filter_by(name=ROLLED_UP))).scalar_one())


def _queries(
    spans: Iterable[int], since_at: float, until_at: float, reached: int, which: ColumnElement[bool]
) -> Iterator[Select[tuple[float, bytes]]]:
    """Each snapshot that ended in (`since_at`, `until_at`] once: by the rows that lie therein, or itself."""
    spans = tuple(spans)
    begin = _up(since_at, spans[0]) if spans else until_at
    ended_at, sequence = snapshots.c.ended_at, snapshots.c.sequence
    itself = select(ended_at.label("at"), snapshots.c.cells)
    # Adding nothing to a column keeps SQLite from searching by its index where the other column's finds fewer.
    yield itself.where(sequence > reached, ended_at + 0.0 > since_at, ended_at + 0.0 <= until_at)
    yield itself.where(ended_at > since_at, ended_at <= begin, sequence + 0 <= reached)
    for span, longer in pairwise((*spans, None)):
        end = min(_up(begin, longer), until_at) if longer else until_at
        lies_there = and_(rollups.c.started_at >= begin, rollups.c.started_at < end)
        row = select((rollups.c.started_at + span).label("at"), rollups.c.cells)
        yield row.where(rollups.c.span_seconds == span, lies_there, which)
        begin = end


async def _parts(
    connection: AsyncConnection, queries: Iterable[Select[tuple[float, bytes]]]
) -> AsyncIterator[list[_Piece]]:
    """In parts, so that requests are served in between."""
    for query in queries:
        async for part in (await connection.stream(query)).partitions(READ_AT_ONCE):
            yield await aside(_unpacked, part)


def _unpacked(rows: Iterable[Row[tuple[float, bytes]]]) -> list[_Piece]:
    return [(row.at, unpack(row.cells, _name(row.at))) for row in rows]


def _up(at: float, span: int) -> float:
    """The first multiple of `span` that is not before `at`: exactly, as division with a remainder is."""
    return -(-at // span) * span


def _name(until_at: float) -> str:
    return f"what was counted until {until_at:.0f}"
