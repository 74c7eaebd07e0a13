"""What is computed aside holds up nobody, and nobody holds it up."""

import asyncio
import gc
import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pytest

from serinus.aside import aside, settle
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Cell, CellKey, Outcome, Snapshot
from serinus.rollout.state import AgentStatus
from serinus.storage.database import Database
from serinus.storage.store import Store

PATIENCE_SECONDS = 30


def test_the_event_loop_goes_on_meanwhile() -> None:
    seen = threading.Event()

    async def run() -> bool:
        working = asyncio.ensure_future(aside(seen.wait, PATIENCE_SECONDS))
        await asyncio.sleep(0)
        seen.set()
        return await working

    assert asyncio.run(run())


def test_it_returns_what_the_work_returns_and_raises_what_it_raises() -> None:
    assert asyncio.run(aside(divmod, 7, 2)) == (3, 1)
    assert asyncio.run(aside(int, "ff", base=16)) == 255
    with pytest.raises(ZeroDivisionError):
        asyncio.run(aside(divmod, 7, 0))


def test_a_service_that_has_filled_the_loops_own_threads_does_not_keep_it_waiting() -> None:
    over = threading.Event()

    async def run() -> int:
        waiting = [asyncio.ensure_future(asyncio.to_thread(over.wait, PATIENCE_SECONDS)) for _ in range(64)]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS / 2):
                return await aside(abs, -1)
        finally:
            over.set()
            await asyncio.gather(*waiting)

    assert asyncio.run(run()) == 1


class Noticed(Mapping[CellKey, Cell]):
    """Notices in which threads it is read."""

    def __init__(self, cells: Mapping[CellKey, Cell]) -> None:
        self._cells = cells
        self.threads: set[int] = set()

    def __getitem__(self, key: CellKey) -> Cell:
        self.threads.add(threading.get_ident())
        return self._cells[key]

    def __iter__(self) -> Iterator[CellKey]:
        self.threads.add(threading.get_ident())
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)


def test_snapshots_are_written_for_the_store_aside() -> None:
    key = CellKey(DeploymentVersion.CANARY, "/a", compared=True)
    cells = Noticed({key: Cell(outcomes=MappingProxyType({Outcome.OK: 3}))})
    sent = Snapshot("agent", 1, 0.0, 2.0, 1, cells)

    async def run() -> int:
        store = Store(Database("sqlite+aiosqlite://"))
        await store.prepare()
        await store.append_snapshots([sent], AgentStatus("agent", heard_at=2.0, split_revision=1))
        [stored] = await store.snapshots_after(0)
        await store.database.close()
        return stored.snapshot.cells[key].requests

    assert asyncio.run(run()) == 3
    assert cells.threads
    assert threading.get_ident() not in cells.threads


def test_what_lives_as_long_as_the_process_is_left_out_of_collections_once() -> None:
    settle.cache_clear()
    gc.unfreeze()
    settle()
    frozen = gc.get_freeze_count()
    kept = [[number] for number in range(1_000)]
    settle()
    assert len(kept) == 1_000
    assert frozen > 10_000
    assert gc.get_freeze_count() <= frozen
