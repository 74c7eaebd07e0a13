"""Whoever fails tries again less and less often, however long that goes on."""

from hypothesis import given
from hypothesis import strategies as st

from serinus.pauses import lengthened


def test_a_pause_doubles_with_every_failure_until_it_is_the_longest() -> None:
    assert [lengthened(1.0, failures, longest=15.0) for failures in range(6)] == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


@given(st.integers(0, 10**9))
def test_no_number_of_failures_is_too_great(failures: int) -> None:
    assert 1.0 <= lengthened(1.0, failures, longest=15.0) <= 15.0
