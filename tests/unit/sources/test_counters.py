"""What was counted between two readings, whatever restarts, hand-overs and readings there were."""

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from serinus.sources.answers import Series
from serinus.sources.counters import Counters


def series(*samples: tuple[float, float], name: str = "a") -> Series:
    return Series({"name": name}, samples)


@given(
    lives=st.lists(st.lists(st.integers(0, 1_000), min_size=1, max_size=6), min_size=1, max_size=4),
    cuts=st.sets(st.integers(1, 24)),
)
def test_all_that_was_counted_is_found_once_however_it_is_read(lives: list[list[int]], cuts: set[int]) -> None:
    values = [0, *(value for life in lives for value in _grown(life))]
    samples = [(float(at), float(value)) for at, value in enumerate(values)]
    counters = Counters()
    counters.increases([series(samples[0])], after=0.0)
    found = 0
    for end in sorted({*(cut for cut in cuts if cut <= len(samples)), len(samples)}):
        found += sum(each.count for each in counters.increases([series(*samples[:end])], after=0.0))
    expected = sum(b - a if b >= a else b for a, b in pairwise(values))
    assert found == expected


def _grown(life: list[int]) -> list[int]:
    return list(accumulate(life))


def test_a_restart_counts_from_nought_and_not_backwards() -> None:
    counters = Counters()
    counters.increases([series((0, 90))], after=0)
    (found,) = counters.increases([series((0, 90), (1, 100), (2, 4), (3, 9))], after=0)
    assert (found.count, found.since_at, found.until_at) == (19, 0, 3)


def test_the_first_reading_counts_nothing_of_the_past_and_a_series_that_comes_later_counts_whole() -> None:
    counters = Counters()
    assert counters.increases([series((8, 1_000), (9, 1_000))], after=9) == []
    grown = counters.increases([series((9, 1_000), (10, 1_001)), series((10, 3), name="b")], after=9)
    assert [each.count for each in grown] == [1, 3]


def test_whoever_goes_on_after_another_counts_from_where_that_one_was() -> None:
    ones, others = Counters(), Counters()
    ones.increases([series((0, 10))], after=0)
    (before,) = ones.increases([series((0, 10), (1, 12), (2, 15))], after=0)
    (after,) = others.increases([series((0, 10), (1, 12), (2, 15), (3, 21))], after=2)
    assert (before.count, after.count) == (5, 6)


def test_what_is_not_stored_is_counted_again_by_the_copy_that_was_kept() -> None:
    kept = Counters()
    kept.increases([series((0, 10))], after=0)
    tried = kept.copy()
    reading = [series((0, 10), (1, 17)), series((1, 5), name="b")]
    assert [each.count for each in tried.increases(reading, after=0)] == [7, 5]
    assert [each.count for each in kept.increases(reading, after=0)] == [7, 5]
    assert tried.increases(reading, after=0) == []


def test_a_series_that_was_away_for_long_is_another_one() -> None:
    counters = Counters()
    counters.increases([series((0, 10))], after=0)
    counters.forget(5)
    assert [each.count for each in counters.increases([series((90, 4))], after=80)] == [4]
