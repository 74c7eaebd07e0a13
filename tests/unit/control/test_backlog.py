"""Snapshots on their way: aligned to slices, in order, bounded, and nothing given up in silence."""

from hypothesis import given
from hypothesis import strategies as st

from serinus.control.backlog import Backlog
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import SLICE_SECONDS, Cell, CellKey, Outcome

KEY = CellKey(DeploymentVersion.CANARY, "hello", compared=True)


def requests(count: int) -> dict[CellKey, Cell]:
    return {KEY: Cell(outcomes={Outcome.OK: count})}


def test_a_slice_is_due_once_it_has_ended() -> None:
    backlog = Backlog("a", started_at=100.5)
    assert not backlog.is_due(101.999)
    assert backlog.is_due(102.0)
    backlog.seal({}, split_revision=1, now=102.0)
    assert not backlog.is_due(103.9)


def test_a_snapshot_that_is_sealed_promptly_lies_within_its_slice() -> None:
    backlog = Backlog("a", started_at=100.0)
    backlog.seal(requests(1), split_revision=1, now=102.02)
    backlog.seal(requests(1), split_revision=1, now=104.3)
    first, second = backlog.oldest(2)
    assert (first.started_at, first.ended_at // SLICE_SECONDS) == (100.0, 50)
    assert (second.started_at, second.ended_at // SLICE_SECONDS) == (102.0, 51)


def test_a_snapshot_that_is_sealed_late_says_how_long_it_was() -> None:
    backlog = Backlog("a", started_at=100.0)
    backlog.seal(requests(1), split_revision=1, now=105.0)
    [snapshot] = backlog.oldest(1)
    assert (snapshot.started_at, snapshot.ended_at) == (100.0, 105.0)


def test_a_change_of_the_split_seals_in_the_middle_of_a_slice() -> None:
    backlog = Backlog("a", started_at=100.0)
    backlog.seal(requests(1), split_revision=1, now=100.7)
    backlog.seal(requests(2), split_revision=2, now=102.0)
    first, second = backlog.oldest(2)
    assert (first.split_revision, first.ended_at) == (1, 100.7)
    assert (second.split_revision, second.started_at, second.ended_at // SLICE_SECONDS) == (2, 100.7, 50)


def test_a_clock_that_is_set_back_makes_no_snapshot_that_ends_before_it_begins() -> None:
    backlog = Backlog("a", started_at=100.0)
    assert backlog.is_due(50.0)
    backlog.seal(requests(1), split_revision=1, now=50.0)
    [snapshot] = backlog.oldest(1)
    assert snapshot.started_at <= snapshot.ended_at


def test_what_is_stored_is_forgotten_and_the_rest_is_kept_in_order() -> None:
    backlog = Backlog("a", started_at=0.0)
    for number in range(1, 6):
        backlog.seal(requests(number), split_revision=1, now=number * 2.0)
    backlog.forget(backlog.oldest(3))
    assert [snapshot.sequence for snapshot in backlog.oldest(10)] == [4, 5]


def test_forgetting_nothing_keeps_everything() -> None:
    backlog = Backlog("a", started_at=0.0)
    backlog.seal(requests(1), split_revision=1, now=2.0)
    backlog.forget([])
    assert len(backlog) == 1


def test_the_oldest_given_up_is_told_by_the_next_snapshot() -> None:
    backlog = Backlog("a", started_at=0.0, limit=2)
    for count in (10, 20, 30):
        backlog.seal(requests(count), split_revision=1, now=count / 5)
    backlog.seal(requests(40), split_revision=1, now=8.0)
    assert [snapshot.dropped for snapshot in backlog.oldest(2)] == [0, 10]
    assert backlog.dropped == 30


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=60), st.integers(1, 5))
def test_every_request_is_stored_waiting_or_told_as_given_up(steps: list[tuple[int, bool]], limit: int) -> None:
    backlog = Backlog("a", started_at=0.0, limit=limit)
    stored = told = 0
    for number, (count, deliver) in enumerate(steps, 1):
        backlog.seal(requests(count), split_revision=1, now=number * 2.0)
        if deliver:
            batch = backlog.oldest(2)
            stored += sum(cell.requests for snapshot in batch for cell in snapshot.cells.values())
            told += sum(snapshot.dropped for snapshot in batch)
            backlog.forget(batch)
        assert len(backlog) <= limit
    backlog.seal({}, split_revision=1, now=len(steps) * 2.0 + 2)
    waiting = backlog.oldest(limit)
    stored += sum(cell.requests for snapshot in waiting for cell in snapshot.cells.values())
    assert stored + backlog.dropped == sum(count for count, _ in steps)
    assert told + sum(snapshot.dropped for snapshot in waiting) <= backlog.dropped
