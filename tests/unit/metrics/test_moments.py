"""Business measures, added up: the order and the parting change nothing."""

from statistics import fmean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.metrics.moments import NONE, Moments, add
from serinus.metrics.snapshot import Cell, merge
from serinus.storage.codec import dump, load

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


def together(values: list[float]) -> Moments:
    total = NONE
    for value in values:
        total = add(total, Moments(1, value, 0.0))
    return total


@given(VALUES, st.integers(0, 40))
def test_parts_add_up_to_the_whole(values: list[float], place: int) -> None:
    whole, parted = together(values), add(together(values[:place]), together(values[place:]))
    assert parted.count == whole.count
    assert parted.mean == pytest.approx(whole.mean, abs=1e-6)
    assert parted.squares == pytest.approx(whole.squares, rel=1e-9, abs=1e-3)


@given(VALUES)
def test_mean_and_variance_are_those_of_the_values(values: list[float]) -> None:
    total = together(values)
    assert total.mean == pytest.approx(fmean(values), abs=1e-6)
    assert total.variance == pytest.approx(variance(values), rel=1e-6, abs=1e-3)


def test_small_differences_of_large_values_are_kept() -> None:
    assert together([1e11, 1e11 + 1, 1e11 + 2]).variance == pytest.approx(1.0, rel=1e-3)


def test_cells_carry_values_and_add_them_up_and_survive_storage() -> None:
    cells = [Cell(values={"basket": Moments(1, 4.0, 0.0)}), Cell(values={"basket": Moments(1, 6.0, 0.0)})]
    both = merge([*cells, Cell()])
    assert both.values == {"basket": Moments(2, 5.0, 2.0)}
    assert load(Cell, dump(both)) == both
