"""A canary that nobody watches stops by itself."""

from dataclasses import replace

from serinus.control.dead_mans_switch import DeadMansSwitch
from serinus.routing.split import LEGACY_ONLY, Split
from serinus.storage.splits import StoredSplit

HALF = Split(revision=3, enabled=True, percentage=50.0)
STORED = StoredSplit(HALF, changed_at=1.0, store_id="one", controller_heard_at=1_000.0)
BLANK = StoredSplit(Split(), store_id="two", controller_heard_at=1_010.0)


def heard(stored: StoredSplit = STORED, *, now: float = 1_000.0, elapsed: float = 0.0) -> DeadMansSwitch:
    switch = DeadMansSwitch(60.0)
    switch.hear(stored, now=now, elapsed=elapsed)
    return switch


def test_before_any_word_everybody_is_on_legacy() -> None:
    switch = DeadMansSwitch(60.0)
    assert switch.is_open(0.0)
    assert switch.split(0.0) == LEGACY_ONLY


def test_a_split_holds_for_exactly_as_long_as_a_controller_was_heard_of() -> None:
    switch = heard()
    assert switch.split(60.0) == HALF
    assert switch.split(60.1) == replace(HALF, enabled=False)


def test_hearing_the_same_heartbeat_again_is_no_word() -> None:
    switch = heard()
    switch.hear(STORED, now=1_050.0, elapsed=50.0)
    assert switch.is_open(61.0)


def test_a_new_heartbeat_is_a_word_whatever_its_clock_says() -> None:
    switch = heard()
    switch.hear(replace(STORED, controller_heard_at=3.0), now=1_050.0, elapsed=50.0)
    assert switch.split(110.0) == HALF
    assert switch.is_open(111.0)


def test_the_first_heartbeat_counts_from_when_it_was_made() -> None:
    assert heard(now=1_059.0).split(1.0) == HALF
    assert heard(now=1_059.0).is_open(1.1)
    assert heard(now=2_000.0).is_open(0.0)


def test_a_heartbeat_from_the_future_counts_as_now() -> None:
    switch = heard(now=900.0)
    assert switch.split(60.0) == HALF
    assert switch.is_open(61.0)


def test_a_split_without_any_controller_stays_on_legacy() -> None:
    switch = heard(replace(STORED, controller_heard_at=None))
    assert switch.split(0.0) == replace(HALF, enabled=False)


def test_a_settled_split_needs_no_watcher() -> None:
    switch = heard(replace(STORED, settled=True))
    assert switch.split(1e9) == HALF


def test_a_word_after_the_silence_brings_the_split_back() -> None:
    switch = heard()
    assert switch.is_open(100.0)
    switch.hear(replace(STORED, controller_heard_at=1_100.0), now=1_100.0, elapsed=100.0)
    assert switch.split(100.0) == HALF


def test_a_database_made_anew_is_no_word_until_the_last_split_is_stale() -> None:
    switch = heard()
    switch.hear(BLANK, now=1_010.0, elapsed=10.0)
    assert switch.blank_successor
    assert switch.split(60.0) == HALF
    switch.hear(BLANK, now=1_061.0, elapsed=61.0)
    assert not switch.blank_successor
    assert switch.split(61.0).enabled is False


def test_a_database_made_anew_is_heeded_once_it_knows_of_a_split() -> None:
    switch = heard()
    fresh = replace(BLANK, split=replace(HALF, revision=1, percentage=5.0), changed_at=1_010.0)
    switch.hear(fresh, now=1_010.0, elapsed=10.0)
    assert switch.split(10.0).percentage == 5.0


def test_a_database_made_anew_does_not_take_a_settled_split_away() -> None:
    switch = heard(replace(STORED, settled=True))
    switch.hear(BLANK, now=9_999.0, elapsed=9_999.0)
    assert switch.split(9_999.0) == HALF
