"""Snapshots in every backend: exact, each once, in order, and gone only when nobody needs them."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from control_room import PLAN
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import SLOTS, Cell, CellKey, Outcome, Snapshot
from serinus.rollout import commands
from serinus.rollout.commands import Order
from serinus.rollout.state import AgentStatus
from serinus.storage.database import Database
from serinus.storage.store import Store
from serinus.storage.tables import agents

Tell = Callable[[Callable[[Store], Awaitable[None]]], None]

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
counts = st.integers(0, 2**40)
slots = st.one_of(st.just(()), st.lists(counts, min_size=SLOTS, max_size=SLOTS).map(tuple))
cells = st.builds(
    Cell,
    outcomes=st.dictionaries(st.sampled_from(Outcome), counts),
    statuses=st.dictionaries(st.integers(0, 599), counts),
    latency=st.dictionaries(st.integers(0, 1_100), counts),
    latency_seconds=st.dictionaries(st.integers(0, 1_100), st.floats(0, allow_infinity=False)),
    slow_opened=counts,
    slow_closed=counts,
    slot_requests=slots,
    slot_errors=slots,
    slot_client_errors=slots,
)
keys = st.builds(
    CellKey, st.sampled_from(DeploymentVersion), st.text(st.characters(exclude_categories=["Cs"])), st.booleans()
)


def snapshot(agent: str, sequence: int, *, ended_at: float = 12.0, **of: Cell) -> Snapshot:
    parts = {CellKey(CANARY, name, compared=True): cell for name, cell in of.items()}
    return Snapshot(agent, sequence, ended_at - 2, ended_at, 1, parts)


def status(agent: str, heard_at: float = 12.0) -> AgentStatus:
    return AgentStatus(agent, heard_at=heard_at, split_revision=1)


def ok(count: int) -> Cell:
    return Cell(outcomes={Outcome.OK: count})


def test_a_snapshot_is_stored_once_however_often_it_is_sent(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.append_snapshots([snapshot("a", 1), snapshot("a", 2)], status("a"))
        await store.append_snapshots([snapshot("a", 1), snapshot("a", 2), snapshot("a", 3)], status("a"))
        await store.append_snapshots([snapshot("b", 1)], status("b"))
        stored = await store.snapshots_after(0)
        assert [(row.snapshot.agent, row.snapshot.sequence) for row in stored] == [
            ("a", 1),
            ("a", 2),
            ("a", 3),
            ("b", 1),
        ]
        assert [row.sequence for row in stored] == [1, 2, 3, 4]

    tell(story)


def test_many_agents_at_once_get_numbers_without_a_gap(tell: Tell) -> None:
    async def story(store: Store) -> None:
        agents = [f"agent-{number}" for number in range(8)]
        await asyncio.gather(
            *(store.append_snapshots([snapshot(agent, 1), snapshot(agent, 2)], status(agent)) for agent in agents)
        )
        assert [row.sequence for row in await store.snapshots_after(0)] == list(range(1, 17))

    tell(story)


def test_snapshots_are_read_from_a_place_on_and_carry_the_time_of_their_storing(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.append_snapshots([snapshot("a", 1)], status("a", heard_at=12.1))
        await store.append_snapshots([snapshot("a", 2)], status("a", heard_at=99.0))
        assert [row.stored_at for row in await store.snapshots_after(0)] == [12.1, 99.0]
        assert [row.sequence for row in await store.snapshots_after(1)] == [2]
        assert [row.sequence for row in await store.snapshots_after(0, limit=1)] == [1]

    tell(story)


def test_a_window_adds_up_all_agents_since_then(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.append_snapshots([snapshot("a", 1, ended_at=8.0, hello=ok(100))], status("a"))
        await store.append_snapshots([snapshot("a", 2, hello=ok(2), bye=ok(5))], status("a"))
        await store.append_snapshots([snapshot("b", 1, hello=ok(3))], status("b"))
        everything = await store.window(since_at=8.0)
        assert {key.endpoint: cell.requests for key, cell in everything.items()} == {"hello": 5, "bye": 5}
        only = await store.window(since_at=8.0, endpoint="bye")
        assert {key.endpoint for key in only} == {"bye"}

    tell(story)


def test_old_snapshots_are_pruned_except_those_that_the_running_rollout_is_judged_by(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.append_snapshots([snapshot("a", 1, ended_at=100.0)], status("a", 100.0))
        await store.create_rollout(
            commands.start(PLAN, Order("ann", 100.0), id="one", previous=None, split_revision=0),
        )
        await store.append_snapshots([snapshot("a", 2, ended_at=102.0)], status("a", 102.0))
        assert await store.prune(before_at=1_000.0) == 1
        assert [row.snapshot.sequence for row in await store.snapshots_after(0)] == [2]
        assert await store.snapshots_from("one") == 1

    tell(story)


def test_recent_snapshots_are_not_pruned(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.append_snapshots([snapshot("a", 1, ended_at=100.0)], status("a", 100.0))
        assert await store.prune(before_at=100.0) == 0
        assert len(await store.snapshots_after(0)) == 1

    tell(story)


@settings(max_examples=10, deadline=None)
@given(st.dictionaries(keys, cells, max_size=3), st.floats(0, 1e12), st.integers(0, 2**40))
def test_every_count_comes_back_exactly(parts: dict[CellKey, Cell], at: float, dropped: int) -> None:
    """On the fastest backend: the rows of all of them are made by the same code."""
    given_snapshot = Snapshot("a", 1, at, at + 2, 7, parts, dropped)

    async def story() -> None:
        database = Database("sqlite+aiosqlite://")
        store = Store(database)
        await store.prepare()
        await store.append_snapshots([given_snapshot], status("a"))
        [row] = await store.snapshots_after(0)
        assert row.snapshot == given_snapshot
        await database.close()

    asyncio.run(story())


def test_what_a_later_version_adds_to_an_agents_row_does_not_hide_the_agent(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.append_snapshots([], status("later"))
        await store.append_snapshots([], status("stranger"))
        async with store.database.write() as connection:
            added = """{"agent":"later","heard_at":12.0,"split_revision":1,"added_later":{"by":[1]}}"""
            for agent, body in {"later": added, "stranger": '{"agent": 7}'}.items():
                await connection.execute(update(agents).filter_by(agent=agent).values(body=body))
        later, stranger = await store.fleet(heard_since=0.0)
        assert later == status("later")
        assert (stranger.agent, stranger.heard_at, stranger.split_revision) == ("stranger", 12.0, -1)

    tell(story)
