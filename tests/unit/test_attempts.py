"""How often an address may guess."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.attempts import BURST, MOST_ADDRESSES, MOST_KNOWN, SECONDS_EACH, Attempts
from serinus.errors import StoreUnavailable, TooManyAttempts, Unauthenticated


class Door:
    """With a clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.attempts = Attempts()

    def knock(self, secret: str, address: str = "203.0.113.7", error: type[Exception] | None = Unauthenticated) -> str:
        try:
            with self.attempts.one(address, sha256(secret.encode()).digest(), self.now):
                if error is not None:
                    raise error("no")
        except TooManyAttempts:
            return "held up"
        except (Unauthenticated, StoreUnavailable):
            return "refused"
        return "in"

    def guess(self, times: int, address: str = "203.0.113.7") -> list[str]:
        return [self.knock(f"{address} {number}", address) for number in range(times)]


def test_an_address_may_fail_so_often_and_then_waits() -> None:
    door = Door()
    assert door.guess(BURST + 1) == ["refused"] * BURST + ["held up"]
    assert door.knock("good", error=None) == "held up"
    assert door.knock("good", "203.0.113.8", error=None) == "in"


def test_who_got_in_before_is_not_held_up_until_the_secret_fails() -> None:
    door = Door()
    door.knock("good", error=None)
    door.guess(BURST)
    assert [door.knock("good", error=None) for _ in range(3)] == ["in"] * 3
    assert [door.knock("good"), door.knock("good")] == ["refused", "held up"]


def test_a_store_that_is_away_is_nobodys_failure() -> None:
    door = Door()
    assert {door.knock(str(number), error=StoreUnavailable) for number in range(3 * BURST)} == {"refused"}
    assert door.guess(1) == ["refused"]


def test_it_says_when_to_come_again_and_that_is_true() -> None:
    door = Door()
    door.guess(BURST)
    with pytest.raises(TooManyAttempts) as told, door.attempts.one("203.0.113.7", b"", door.now):
        pass
    door.now += told.value.retry_after_seconds - 1
    assert door.knock("x") == "held up"
    door.now += 1
    assert [door.knock("x"), door.knock("y")] == ["refused", "held up"]


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(1, 40)), max_size=20))
def test_over_any_time_no_more_get_through_than_the_pace_allows(bouts: list[tuple[float, int]]) -> None:
    door, through, began = Door(), 0, 1_000.0
    for pause, times in bouts:
        door.now += pause
        through += door.guess(times).count("refused")
    assert through <= BURST + (door.now - began) / SECONDS_EACH + 1e-6


def test_a_clock_that_is_set_back_lets_nobody_in_sooner_or_out_for_ever() -> None:
    door = Door()
    door.guess(BURST)
    door.now -= 500
    assert door.knock("x") == "held up"
    door.now += SECONDS_EACH
    assert door.knock("x") == "refused"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "unix:", False),
    ],
)
def test_what_one_customer_is_given_is_one_place(one: str, other: str, alike: bool) -> None:
    door = Door()
    door.guess(BURST, one)
    assert (door.knock("x", other) == "held up") is alike


def test_what_is_remembered_is_bounded() -> None:
    door = Door()
    for number in range(MOST_ADDRESSES + 100):
        door.knock("x", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    for number in range(MOST_KNOWN + 100):
        door.knock(str(number), error=None)
    assert (len(door.attempts._spent), len(door.attempts._known)) == (MOST_ADDRESSES, MOST_KNOWN)
