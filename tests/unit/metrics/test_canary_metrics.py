"""What is recorded comes out once, as what it was; and whatever is recorded, memory stays bounded."""

import math
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus import CanaryMetricsCollector, DeploymentVersion, Outcome
from serinus.deployment import OTHER_ENDPOINT
from serinus.metrics.canary_metrics import BATCH, LONGEST_SECONDS
from serinus.metrics.sketch import BINS, SLOW_BIN, bin_of, quantile
from serinus.metrics.snapshot import SLOTS, Cell, CellKey, merge

LEGACY, CANARY = DeploymentVersion
COMPARED = CellKey(CANARY, "/a", compared=True)
NOT_COMPARED = CellKey(CANARY, "/a", compared=False)

requests = st.tuples(
    st.sampled_from(DeploymentVersion),
    st.sampled_from(["/a", "/b", "/c"]),
    st.sampled_from(Outcome),
    st.floats(0, 5),
    st.sampled_from([0, 200, 404, 503]),
    st.none() | st.integers(0, SLOTS - 1),
)


def one_cell(outcome: Outcome, seconds: float, *, status: int = 0, slot: int | None = 5) -> Cell:
    collector = CanaryMetricsCollector()
    collector.record(CANARY, "/a", outcome, seconds, status=status, slot=slot)
    return collector.drain()[NOT_COMPARED if slot is None else COMPARED]


def record_all(collector: CanaryMetricsCollector, many: list[tuple]) -> None:
    for version, endpoint, outcome, seconds, status, slot in many:
        collector.record(version, endpoint, outcome, seconds, status=status, slot=slot)


def test_a_record_comes_out_as_what_it_was() -> None:
    cell = one_cell(Outcome.OK, 0.25, status=201, slot=5)
    assert cell.outcomes == {Outcome.OK: 1}
    assert cell.statuses == {201: 1}
    assert cell.latency == {bin_of(0.25): 1}
    assert cell.latency_seconds == {bin_of(0.25): 0.25}
    assert [slot for slot, count in enumerate(cell.slot_requests) if count] == [5]
    assert cell.slot_errors == (0,) * SLOTS


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.DEGRADED])
def test_an_error_is_counted_in_the_subjects_slot(outcome: Outcome) -> None:
    cell = one_cell(outcome, 0.25, slot=63)
    assert cell.slot_requests[63] == cell.slot_errors[63] == cell.errors == 1


def test_a_client_error_is_counted_in_the_subjects_slot_and_apart_from_valid_requests() -> None:
    cell = one_cell(Outcome.CLIENT_ERROR, 0.25, slot=63)
    assert (cell.slot_client_errors[63], sum(cell.slot_client_errors)) == (1, 1)
    assert cell.slot_requests == ()


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.CLIENT_ERROR}))
def test_no_other_outcome_is_counted_as_a_subjects_client_error(outcome: Outcome) -> None:
    assert one_cell(outcome, 0.25).slot_client_errors == ()


@pytest.mark.parametrize("outcome", [Outcome.CLIENT_ERROR, Outcome.CANCELLED])
def test_what_is_nobodys_fault_enters_neither_slots_nor_histogram(outcome: Outcome) -> None:
    cell = one_cell(outcome, 2.0)
    assert (cell.requests, cell.slot_requests, cell.slot_errors, cell.latency) == (1, (), (), {})
    assert cell.latency_sum_seconds == 0


@pytest.mark.parametrize("outcome", Outcome)
def test_a_request_of_more_than_two_seconds_enters_the_histogram_whatever_its_end(outcome: Outcome) -> None:
    cell = one_cell(outcome, math.nextafter(2.0, 3.0))
    assert cell.latency == {SLOW_BIN + 1: 1}


def test_who_went_away_and_who_was_diverted_still_came() -> None:
    collector = CanaryMetricsCollector()
    collector.record(CANARY, "/", Outcome.CANCELLED, 0.1, slot=7)
    collector.divert("/", 9)
    cells = collector.drain()
    assert cells[CellKey(CANARY, "/", compared=True)].slot_others[7] == 1
    assert cells[CellKey(LEGACY, "/", compared=False)].slot_others[9] == 1
    assert collector.drain() == {}


def test_a_request_without_a_slot_is_kept_apart_from_the_compared_ones() -> None:
    assert one_cell(Outcome.FAILED, 0.1, slot=None).slot_requests == ()
    collector = CanaryMetricsCollector()
    collector.record(CANARY, "/a", Outcome.OK, 0.1)
    collector.record(CANARY, "/a", Outcome.OK, 0.1, slot=0)
    assert {key: cell.requests for key, cell in collector.drain().items()} == {COMPARED: 1, NOT_COMPARED: 1}


def test_versions_and_endpoints_are_kept_apart() -> None:
    collector = CanaryMetricsCollector()
    collector.record(LEGACY, "/a", Outcome.OK, 0.1)
    collector.record(CANARY, "/b", Outcome.FAILED, 0.1)
    assert {key[:2]: cell.failed for key, cell in collector.drain().items()} == {(LEGACY, "/a"): 0, (CANARY, "/b"): 1}


@given(st.lists(requests, max_size=3 * BATCH))
def test_nothing_is_lost_or_invented_on_the_way(many: list[tuple]) -> None:
    collector = CanaryMetricsCollector()
    record_all(collector, many)
    for key, cell in collector.drain().items():
        mine = [each for each in many if CellKey(each[0], each[1], compared=each[5] is not None) == key]
        assert cell.requests == len(mine)
        assert all(count == sum(each[2] is name for each in mine) for name, count in cell.outcomes.items())
        assert all(count == sum(each[4] == status for each in mine) for status, count in cell.statuses.items())
        assert sum(cell.slot_requests) == (cell.valid if key.compared else 0)
        assert sum(cell.slot_errors) == (cell.errors if key.compared else 0)
        assert sum(cell.slot_client_errors) == (cell.client_errors if key.compared else 0)


@given(st.lists(requests, max_size=2 * BATCH), st.lists(st.integers(0, 2 * BATCH), max_size=4))
def test_drains_in_between_change_no_total(many: list[tuple], cuts: list[int]) -> None:
    whole, parts = CanaryMetricsCollector(), CanaryMetricsCollector()
    record_all(whole, many)
    drained = []
    edges = [0, *sorted(min(cut, len(many)) for cut in cuts), len(many)]
    for start, end in pairwise(edges):
        record_all(parts, many[start:end])
        drained.append(parts.drain())
    for key, cell in whole.drain().items():
        together = merge(part[key] for part in drained if key in part)
        assert together.latency_seconds == pytest.approx(cell.latency_seconds)
        assert (together.outcomes, together.latency, together.slot_errors) == (
            *(cell.outcomes, cell.latency),
            cell.slot_errors,
        )


@given(st.lists(st.floats(0, 130), min_size=1, max_size=2 * BATCH))
def test_the_sum_of_the_latencies_is_kept_by_bin(latencies: list[float]) -> None:
    collector = CanaryMetricsCollector()
    for seconds in latencies:
        collector.record(CANARY, "/a", Outcome.OK, seconds, slot=1)
    cell = collector.drain()[COMPARED]
    counted = [min(seconds, LONGEST_SECONDS) for seconds in latencies]
    expected = {bin_: math.fsum(each for each in counted if bin_of(each) == bin_) for bin_ in map(bin_of, counted)}
    assert cell.latency_seconds == pytest.approx(expected)
    assert cell.latency_sum_seconds == pytest.approx(math.fsum(counted))


def test_a_drain_takes_everything_and_leaves_nothing() -> None:
    collector = CanaryMetricsCollector()
    collector.record(CANARY, "/a", Outcome.OK, 0.1)
    collector.slow(CANARY, "/a", None)
    collector.drain()
    assert collector.drain() == {}


def test_slow_requests_are_opened_and_closed_where_they_belong() -> None:
    collector = CanaryMetricsCollector()
    collector.slow(CANARY, "/a", 3)
    collector.slow(CANARY, "/a", 4)
    collector.slow(CANARY, "/a", None)
    collector.slow_ended(CANARY, "/a", 3)
    cells = collector.drain()
    assert (cells[COMPARED].slow_opened, cells[COMPARED].slow_closed) == (2, 1)
    assert (cells[NOT_COMPARED].slow_opened, cells[NOT_COMPARED].slow_closed) == (1, 0)


@pytest.mark.parametrize("seconds", [-1e-9, -5.0, -math.inf])
def test_a_negative_latency_counts_as_none_at_all(seconds: float) -> None:
    cell = one_cell(Outcome.OK, seconds)
    assert (cell.latency, cell.latency_sum_seconds) == ({0: 1}, 0.0)


@pytest.mark.parametrize("seconds", [121.0, 1e300, math.inf])
def test_an_absurd_latency_counts_as_the_longest(seconds: float) -> None:
    cell = one_cell(Outcome.OK, seconds)
    assert cell.latency_sum_seconds == LONGEST_SECONDS
    assert quantile(cell.latency, cell.latency_seconds, 0.5) == pytest.approx(1_000 * LONGEST_SECONDS, rel=0.01)


def test_a_latency_that_is_no_number_leaves_the_request_counted() -> None:
    cell = one_cell(Outcome.FAILED, math.nan)
    assert (cell.failed, cell.latency, cell.latency_sum_seconds) == (1, {}, 0.0)


@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_whatever_the_latencies_the_sum_stays_finite_and_the_bins_on_the_grid(latencies: list[float]) -> None:
    collector = CanaryMetricsCollector()
    for seconds in latencies:
        collector.record(CANARY, "/a", Outcome.OK, seconds)
    cell = collector.drain()[NOT_COMPARED]
    assert cell.requests == len(latencies)
    assert 0 <= cell.latency_sum_seconds <= len(latencies) * LONGEST_SECONDS
    assert all(0 <= bin_ < BINS for bin_ in cell.latency)


@pytest.mark.parametrize("status", [-1, 0, 99, 600, 10**9])
def test_a_status_that_http_does_not_know_counts_as_none(status: int) -> None:
    assert one_cell(Outcome.OK, 0.1, status=status).statuses == {0: 1}


def test_endpoints_beyond_the_limit_are_counted_together_also_after_a_drain() -> None:
    collector = CanaryMetricsCollector(max_endpoints=2)
    for endpoint in ("/a", "/b", "/c", "/d"):
        collector.record(CANARY, endpoint, Outcome.OK, 0.1)
    assert {key.endpoint: cell.requests for key, cell in collector.drain().items()} == {
        "/a": 1,
        "/b": 1,
        OTHER_ENDPOINT: 2,
    }
    collector.slow(CANARY, "/e", None)
    collector.record(CANARY, "/c", Outcome.OK, 0.1)
    collector.record(CANARY, "/b", Outcome.OK, 0.1)
    assert {key.endpoint for key in collector.drain()} == {"/b", OTHER_ENDPOINT}


def test_the_common_endpoint_takes_no_place_of_its_own() -> None:
    collector = CanaryMetricsCollector(max_endpoints=1)
    collector.record(CANARY, OTHER_ENDPOINT, Outcome.OK, 0.1)
    collector.record(CANARY, "/a", Outcome.OK, 0.1)
    assert {key.endpoint for key in collector.drain()} == {OTHER_ENDPOINT, "/a"}


def test_memory_is_bounded_whatever_the_number_of_paths_and_requests() -> None:
    collector = CanaryMetricsCollector(max_endpoints=20)

    def record(numbers: range) -> None:
        for number in numbers:
            collector.record(
                *(CANARY, f"/path-{number}", Outcome.OK, (number % 997) / 100),
                status=number,
                slot=number % SLOTS,
            )

    record(range(10_000))
    tracemalloc.start()
    record(range(10_000, 30_000))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 200_000  # a queue's batch at the most, where the 20,000 records would take megabytes


@contextmanager
def eager_thread_switches() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_eight_threads_and_a_drain_beside_them_lose_nothing() -> None:
    collector, each, threads = CanaryMetricsCollector(), 5_000, 8
    drained = []

    def work(worker: int) -> None:
        for number in range(each):
            outcome = Outcome.FAILED if number % 5 == 0 else Outcome.OK
            collector.record(CANARY, "/a", outcome, 0.001 * (number % 50), status=200, slot=worker)
            if number % 50 == 0:
                collector.slow(CANARY, "/a", worker)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    with eager_thread_switches():
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            drained.append(collector.drain())
    drained.append(collector.drain())
    total = merge(chain.from_iterable(cells.values() for cells in drained))
    assert total.outcomes == {Outcome.FAILED: threads * each // 5, Outcome.OK: threads * each * 4 // 5}
    assert sum(total.latency.values()) == threads * each
    assert total.slow_opened == threads * each // 50
    assert total.slot_requests == (each,) * threads + (0,) * (SLOTS - threads)
    assert total.slot_errors == (each // 5,) * threads + (0,) * (SLOTS - threads)
