"""Stored snapshots become slices by the stored rows alone; none is lost, none counted twice."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from serinus.analysis.slices import Slice, StoredSnapshot, closed_slices
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Cell, CellKey, Outcome, Snapshot

CANARY, LEGACY = DeploymentVersion.CANARY, DeploymentVersion.LEGACY


def row(
    sequence: int,
    ended_at: float,
    stored_at: float,
    *,
    requests: int = 1,
    revision: int = 1,
    cells: Mapping[CellKey, Cell] | None = None,
) -> StoredSnapshot:
    counted = MappingProxyType({CellKey(CANARY, "/", compared=True): Cell({Outcome.OK: requests})})
    snapshot = Snapshot(f"agent-{sequence}", sequence, ended_at - 1, ended_at, revision, cells or counted)
    return StoredSnapshot(sequence, stored_at, snapshot)


def requests(slices: Iterable[Slice]) -> list[int]:
    return [sum(compared.canary.requests for compared in each.endpoints.values()) for each in slices]


def test_a_slice_closes_one_second_after_its_end() -> None:
    rows = [row(1, 100.5, 100.6), row(2, 101.5, 101.6)]
    assert closed_slices(rows, after=0, now=102.9) == ((), 0)
    slices, reached = closed_slices(rows, after=0, now=103.0)
    assert [(each.started_at, each.ended_at) for each in slices] == [(100.0, 102.0)]
    assert requests(slices) == [2]
    assert reached == 2


def test_a_snapshot_stored_after_its_slice_closed_is_a_slice_of_its_own() -> None:
    rows = [row(1, 100.5, 100.6), row(2, 101.0, 103.5, requests=7)]
    slices, _ = closed_slices(rows, after=0, now=104.0)
    assert requests(slices) == [1, 7]


def test_snapshots_under_two_splits_are_two_slices() -> None:
    rows = [row(1, 100.5, 100.6), row(2, 101.5, 101.6, revision=2)]
    slices, _ = closed_slices(rows, after=0, now=103.0)
    assert [each.split_revision for each in slices] == [1, 2]


def test_a_snapshot_from_the_future_holds_up_nobody() -> None:
    rows = [row(1, 5_000.5, 100.6), row(2, 100.5, 100.7)]
    slices, reached = closed_slices(rows, after=0, now=103.0)
    assert reached == 2
    assert max(each.ended_at for each in slices) == 102.0


def test_requests_that_the_bucket_did_not_assign_are_not_compared() -> None:
    cells = {
        CellKey(CANARY, "/", compared=False): Cell({Outcome.FAILED: 9}),
        CellKey(LEGACY, "/", compared=True): Cell({Outcome.OK: 4}),
    }
    slices, _ = closed_slices([row(1, 100.5, 100.6, cells=cells)], after=0, now=103.0)
    assert slices[0].endpoints["/"].canary.requests == 0
    assert slices[0].endpoints["/"].legacy.requests == 4


def test_a_slice_does_not_depend_on_the_order_of_its_agents() -> None:
    one, other = row(1, 100.5, 100.6, requests=3), row(2, 100.7, 100.8, requests=5)
    swapped = [row(1, 100.7, 100.8, requests=5), row(2, 100.5, 100.6, requests=3)]
    assert closed_slices([one, other], after=0, now=103.0) == closed_slices(swapped, after=0, now=103.0)


skews = st.lists(st.tuples(st.floats(-4, 4), st.floats(0, 6), st.integers(1, 2)), min_size=1, max_size=25)


@given(skews=skews, looks=st.lists(st.floats(0.3, 5), min_size=1, max_size=60))
def test_whenever_it_is_looked_at_the_same_rows_make_the_same_slices(
    skews: list[tuple[float, float, int]], looks: list[float]
) -> None:
    """Agents with wrong clocks and late deliveries, and a controller that ticks irregularly."""
    stored_at = 100.0
    rows = []
    for number, (skew, pause, revision) in enumerate(skews):
        stored_at += pause
        rows.append(row(number + 1, stored_at + skew, stored_at, requests=2**number, revision=revision))
    now, reached = 100.0, 0
    seen: list[Slice] = []
    for pause in [*looks, 1_000.0]:
        now += pause
        slices, reached = closed_slices([each for each in rows if each.stored_at <= now], after=reached, now=now)
        seen += slices
    at_once, _ = closed_slices(rows, after=0, now=now)
    assert seen == list(at_once)
    assert sum(requests(seen)) == 2 ** len(rows) - 1
