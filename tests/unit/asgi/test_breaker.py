"""The local breaker, on a manual clock."""

from hypothesis import given
from hypothesis import strategies as st

from serinus.asgi import Breaker, BreakerLimits
from serinus.metrics.snapshot import Outcome

OK, FAILED = Outcome.OK, Outcome.FAILED


def fail(breaker: Breaker, *subjects: str, at: float = 100.0) -> None:
    for subject in subjects:
        breaker.record(subject, FAILED, at)


def opened(at: float = 100.0, limits: BreakerLimits | None = None) -> Breaker:
    breaker = Breaker(limits)
    fail(breaker, *"abcabcabca", at=at)
    assert breaker.is_open
    breaker.take_events()
    return breaker


def test_ten_failures_in_a_row_from_three_subjects_open_it() -> None:
    breaker = Breaker()
    fail(breaker, *"abcabcabc")
    assert not breaker.is_open
    fail(breaker, "a")
    assert breaker.is_open


def test_ten_failures_of_one_subject_do_not_open_it_while_others_are_answered_well() -> None:
    breaker = Breaker()
    breaker.record("somebody else", OK, 99.0)
    fail(breaker, *"aaaaaaaaaaaaaaa")
    assert not breaker.is_open


def test_ten_failures_of_one_subject_open_it_when_there_is_no_other_canary_traffic() -> None:
    breaker = Breaker()
    breaker.record("a", OK, 99.0)
    breaker.record("long gone", OK, 99.0)
    fail(breaker, *"aaaaaaaaaa", at=200.0)
    assert breaker.is_open


def test_other_traffic_is_seen_even_when_the_failing_subjects_were_answered_well_after_it() -> None:
    breaker = Breaker()
    for subject in ("other", "a", "b", "a", "b"):
        breaker.record(subject, OK, 99.0)
    fail(breaker, *"ababababab")
    assert not breaker.is_open


def test_a_good_answer_breaks_the_row_and_a_client_error_does_not() -> None:
    breaker = Breaker()
    fail(breaker, *"abcabcabc")
    breaker.record("a", OK, 100.0)
    fail(breaker, "b")
    assert not breaker.is_open
    fail(breaker, *"abcabcab")
    breaker.record("a", Outcome.CLIENT_ERROR, 100.0)
    fail(breaker, "c")
    assert breaker.is_open


def test_nothing_is_admitted_before_the_wait_is_over_and_then_one_at_a_time() -> None:
    breaker = opened(at=100.0)
    assert not breaker.admits(104.9)
    assert breaker.admits(105.0)
    assert not breaker.admits(105.1)
    breaker.record_probe(OK, 105.2)
    assert breaker.admits(105.2)


def test_five_good_probes_close_it() -> None:
    breaker = opened()
    for _ in range(4):
        assert breaker.admits(105.0)
        breaker.record_probe(OK, 105.0)
    assert breaker.is_open
    assert breaker.admits(105.0)
    breaker.record_probe(OK, 105.0)
    assert not breaker.is_open


def test_each_failed_probe_doubles_the_wait_up_to_the_limit() -> None:
    breaker = opened(at=0.0, limits=BreakerLimits(longest_wait_seconds=15.0))
    assert breaker.admits(5.0)
    now, waits = 5.0, []
    for _ in range(4):
        breaker.record_probe(FAILED, now)
        later = next(now + step / 2 for step in range(1, 100) if breaker.admits(now + step / 2))
        waits.append(later - now)
        now = later
    assert waits == [10.0, 15.0, 15.0, 15.0]


def test_good_probes_must_be_in_a_row() -> None:
    breaker = opened(at=0.0, limits=BreakerLimits(probes=2))
    for now, outcome in ((5.0, OK), (5.0, FAILED), (15.0, OK)):
        assert breaker.admits(now)
        breaker.record_probe(outcome, now)
    assert breaker.is_open


def test_a_probe_that_proves_nothing_makes_room_for_the_next() -> None:
    breaker = opened(limits=BreakerLimits(probes=1))
    assert breaker.admits(105.0)
    breaker.record_probe(Outcome.CLIENT_ERROR, 105.0)
    assert breaker.is_open
    assert breaker.admits(105.0)


def test_a_probe_that_never_ends_does_not_hold_the_breaker_open_for_ever() -> None:
    breaker = opened()
    assert breaker.admits(105.0)
    assert not breaker.admits(109.9)
    assert breaker.admits(110.0)


def test_requests_from_before_the_opening_change_nothing_while_it_is_open() -> None:
    breaker = opened()
    breaker.record("late", OK, 101.0)
    fail(breaker, "late")
    assert breaker.is_open
    assert breaker.take_events() == ()


def test_opening_and_closing_are_events_with_time_and_reason_and_are_taken_once() -> None:
    breaker = Breaker(BreakerLimits(probes=1))
    fail(breaker, *"abcabcabca", at=100.0)
    breaker.admits(105.0)
    breaker.record_probe(OK, 106.0)
    opening, closing = breaker.take_events()
    assert (opening.opened, opening.at, closing.opened, closing.at) == (True, 100.0, False, 106.0)
    assert "10 failures in a row from at least 3 subjects" in opening.reason
    assert breaker.take_events() == ()


def test_after_closing_a_full_row_is_needed_again() -> None:
    breaker = opened(limits=BreakerLimits(probes=1))
    breaker.admits(105.0)
    breaker.record_probe(OK, 105.0)
    fail(breaker, *"abcabcabc", at=106.0)
    assert not breaker.is_open


def test_a_reset_closes_it_and_forgets_the_row() -> None:
    breaker = opened()
    breaker.reset(103.0)
    assert not breaker.is_open
    assert [event.opened for event in breaker.take_events()] == [False]


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from([OK, *[FAILED] * 9])), min_size=10))
def test_it_opens_after_ten_failures_without_a_good_answer_between_them_and_never_before(
    history: list[tuple[str, Outcome]],
) -> None:
    breaker, row = Breaker(BreakerLimits(subjects=1)), 0
    for now, (subject, outcome) in enumerate(history):
        breaker.record(subject, outcome, float(now))
        row = 0 if outcome is OK else row + 1
        assert breaker.is_open == (row >= 10)
        if breaker.is_open:
            return
