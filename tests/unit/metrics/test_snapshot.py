"""Rates from counts, and adding cells."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus import Outcome
from serinus.metrics.sketch import BINS
from serinus.metrics.snapshot import SLOTS, Cell, merge

counts = st.integers(0, 10**12)
slots = st.just(()) | st.integers(0, 16**SLOTS).map(lambda bits: tuple(bits >> 4 * slot & 15 for slot in range(SLOTS)))
cells = st.builds(
    Cell,
    outcomes=st.dictionaries(st.sampled_from(Outcome), counts),
    statuses=st.dictionaries(st.integers(100, 599), counts, max_size=5),
    latency=st.dictionaries(st.integers(0, BINS - 1), counts, max_size=5),
    latency_seconds=st.dictionaries(
        st.integers(0, BINS - 1),
        st.integers(0, 10**9).map(lambda units: units / 1_024),  # sums of these are exact
        max_size=5,
    ),
    slow_opened=counts,
    slow_closed=counts,
    slot_requests=slots,
    slot_errors=slots,
    slot_client_errors=slots,
)


def cell(**outcomes: int) -> Cell:
    return Cell(outcomes={Outcome(name): count for name, count in outcomes.items()})


@given(cells, cells)
def test_merging_is_commutative(one: Cell, other: Cell) -> None:
    assert merge([one, other]) == merge([other, one])


@given(cells, cells, cells)
def test_merging_is_associative(one: Cell, other: Cell, third: Cell) -> None:
    assert merge([merge([one, other]), third]) == merge([one, merge([other, third])]) == merge([one, other, third])


@given(cells)
def test_the_empty_cell_changes_nothing(one: Cell) -> None:
    assert merge([one, Cell()]) == merge([Cell(), one]) == merge([one]) == one


seconds = st.dictionaries(st.integers(0, 3), st.floats(0, 1e6))


@given(seconds, seconds, seconds)
def test_sums_of_any_latencies_are_associative_up_to_rounding(
    one: Mapping[int, float], other: Mapping[int, float], third: Mapping[int, float]
) -> None:
    a, b, c = (Cell(latency_seconds=each) for each in (one, other, third))
    left, right = merge([merge([a, b]), c]), merge([a, merge([b, c])])
    assert left.latency_seconds == pytest.approx(right.latency_seconds, rel=1e-15 * 8)


def test_merging_nothing_is_the_empty_cell() -> None:
    assert merge([]) == Cell()


@given(st.lists(cells, max_size=4))
def test_merging_adds_every_count(parts: list[Cell]) -> None:
    def total(of: Mapping[Outcome, int] | Mapping[int, int]) -> int:
        return sum(of.values())

    whole = merge(parts)
    assert whole.requests == sum(part.requests for part in parts)
    assert whole.valid == sum(part.valid for part in parts)
    assert total(whole.statuses) == sum(total(part.statuses) for part in parts)
    assert total(whole.latency) == sum(total(part.latency) for part in parts)
    assert whole.slow_opened - whole.slow_closed == sum(part.slow_opened - part.slow_closed for part in parts)
    assert sum(whole.slot_errors) == sum(sum(part.slot_errors) for part in parts)
    assert sum(whole.slot_client_errors) == sum(sum(part.slot_client_errors) for part in parts)


def test_client_errors_and_cancelled_requests_are_nobodys_fault() -> None:
    mixed = cell(ok=90, failed=4, degraded=6, client_error=1_000, cancelled=1_000)
    assert (mixed.requests, mixed.valid, mixed.errors) == (2_100, 100, 10)
    assert mixed.error_rate == pytest.approx(0.10)


def test_a_degraded_answer_is_an_error_but_available() -> None:
    mixed = cell(ok=90, failed=4, degraded=6)
    assert mixed.availability == pytest.approx(0.96)


@pytest.mark.parametrize("empty", [Cell(), cell(client_error=3), cell(cancelled=1), cell(ok=0)])
def test_without_a_valid_request_there_is_no_rate(empty: Cell) -> None:
    assert empty.error_rate is None
    assert empty.availability is None
