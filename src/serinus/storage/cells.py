"""Counts as they are stored, and added up."""

import logging
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias, TypeVar

from serinus.aside import aside
from serinus.errors import Unreadable
from serinus.metrics.snapshot import Cell, CellKey, merge
from serinus.storage.codec import dump, load

logger = logging.getLogger(__name__)

READ_LATELY = 256  # decoded rows kept: whoever watches asks for the same last minutes again and again

Cells: TypeAlias = Mapping[CellKey, Cell]
Key = TypeVar("Key", bound=Hashable)


def pack(cells: Cells) -> bytes:
    return zlib.compress(dump(cells).encode(), 1)


def unpack(row: bytes, name: str) -> Cells:
    """What `pack` wrote. A damaged row costs what it held, not all that is read with it: it is logged by its `name`."""
    try:
        return _unpack(row)
    except Unreadable as error:
        logger.error("%s is left out: %s", name, error)  # noqa: TRY400 - the message says it all
        return {}


def add_up(parts: Iterable[tuple[Key, Cell]]) -> dict[Key, Cell]:
    """One cell for each key."""
    together: dict[Key, list[Cell]] = defaultdict(list)
    for key, cell in parts:
        together[key].append(cell)
    return {key: merge(cells) for key, cells in together.items()}


async def add_up_parts(parts: AsyncIterator[list[tuple[Key, Cell]]]) -> dict[Key, Cell]:
    """One cell for each key, part by part, so that a week of them never stands in memory at once."""
    total: dict[Key, Cell] = {}
    async for part in parts:
        before = ((key, total[key]) for key in {key for key, _ in part} & total.keys())
        total |= await aside(add_up, [*before, *part])
    return total


@lru_cache(maxsize=READ_LATELY)
def _unpack(row: bytes) -> Cells:
    try:
        text = zlib.decompress(row)
    except zlib.error as error:
        raise Unreadable(f"the stored counts are damaged: {error}") from error
    return load(Mapping[CellKey, Cell], text)  # type: ignore[type-abstract]  # a generic alias, not a class to make
