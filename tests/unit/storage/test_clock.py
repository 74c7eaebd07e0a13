"""The store's time: machines that differ agree, and nothing that anybody sets turns it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_room import EPOCH, Clock
from serinus.storage.clock import StoreClock


class Machine:
    """A machine whose own clock is `wrong_by` seconds ahead, asking a store of which the true time is `clock`'s."""

    def __init__(self, truth: Clock, wrong_by: float = 0.0, ran_for: float = 777.0) -> None:
        self.truth = truth
        self.clock = StoreClock(own=lambda: truth() + wrong_by, elapsed=lambda: truth() - EPOCH + ran_for)

    def ask(self, store_ahead: float = 0.0, *, takes: float = 0.0, ticked_at: float | None = None) -> None:
        asked = self.clock.elapsed()
        self.truth.forward(takes / 2)
        said = self.truth() + store_ahead
        self.truth.forward(takes / 2)
        self.clock.hear(said, asked=asked, ticked_at=ticked_at)

    @property
    def error(self) -> float:
        return self.clock() - self.truth()


def test_until_the_store_is_heard_it_is_the_machines_own_time() -> None:
    assert Machine(Clock(), wrong_by=40.0).error == pytest.approx(40.0)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 0.2))
def test_machines_with_any_clocks_agree_when_they_have_heard_the_store(one: float, other: float, takes: float) -> None:
    truth = Clock()
    machines = [Machine(truth, one), Machine(truth, other, ran_for=3.0)]
    for machine in machines:
        machine.ask(takes=takes)
    truth.forward(5_000.0)
    assert machines[0].clock() == pytest.approx(machines[1].clock(), abs=0.1)
    assert machines[0].error == pytest.approx(0.0, abs=0.1)


def test_an_answer_that_took_long_is_not_believed() -> None:
    machine = Machine(Clock(), wrong_by=1.0)
    machine.ask(takes=0.5)
    assert machine.error == pytest.approx(1.0)


def test_a_store_whose_clock_steps_forward_is_followed() -> None:
    machine = Machine(Clock())
    machine.ask()
    machine.ask(store_ahead=3_600.0)
    assert machine.error == pytest.approx(3_600.0)


def test_a_store_whose_clock_steps_back_is_not_followed_and_time_goes_on() -> None:
    machine = Machine(Clock())
    machine.ask()
    machine.ask(store_ahead=-3_600.0)
    machine.truth.forward(10.0)
    assert machine.error == pytest.approx(0.0)


def test_slow_drift_is_corrected_in_both_directions() -> None:
    for drift in (0.3, -0.3):
        machine = Machine(Clock())
        machine.ask()
        machine.ask(store_ahead=drift)
        assert machine.error == pytest.approx(drift)


def test_who_starts_after_a_step_back_follows_the_living_controller() -> None:
    truth = Clock()
    newcomer = Machine(truth, wrong_by=-3_600.0)
    newcomer.ask(store_ahead=-3_600.0, ticked_at=truth())
    assert newcomer.error == pytest.approx(-3_600.0), "a single heartbeat may be of any age"
    truth.forward(1.0)
    newcomer.ask(store_ahead=-3_600.0, ticked_at=truth())
    assert newcomer.error == pytest.approx(0.0)


def test_a_dead_controllers_heartbeat_from_the_future_is_not_followed() -> None:
    truth = Clock()
    machine = Machine(truth)
    for _ in range(3):
        machine.ask(ticked_at=EPOCH + 86_400.0)
        truth.forward(5.0)
    assert machine.error == pytest.approx(0.0)
