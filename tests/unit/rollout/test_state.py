"""The table of phases, and the one function through which every change goes."""

from itertools import product

import pytest

from serinus.plans import load_shipped
from serinus.rollout import commands
from serinus.rollout.commands import Order
from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import FINISHED, TRANSITIONS, Phase, Receipt, Rollout, change, move
from serinus.routing.split import EndpointRule

PENDING = commands.start(load_shipped("demo"), Order("olga", 1_000.0), id="r", previous=None, split_revision=0).rollout


def in_phase(phase: Phase) -> Rollout:
    return Rollout("r", PENDING.plan, phase, "olga", 0.0, 1, 0.0, 0.0, split_revision=5)


@pytest.mark.parametrize(("before", "after"), list(product(Phase, Phase)))
def test_only_what_the_table_allows_can_happen(before: Phase, after: Phase) -> None:
    if after is before or after in TRANSITIONS[before]:
        assert change(in_phase(before), phase=after).phase is after
    else:
        with pytest.raises(ValueError, match="cannot become"):
            change(in_phase(before), phase=after)


def test_a_change_of_phase_is_told_by_the_event_of_the_table() -> None:
    wrong = Event(EventKind.RESUMED, 0.0, "olga")
    with pytest.raises(ValueError, match="does not tell"):
        move(in_phase(Phase.PROGRESSING), Phase.PAUSED, wrong)


def test_every_phase_but_the_finished_ones_can_roll_back_and_is_reachable() -> None:
    for phase in set(Phase) - FINISHED - {Phase.ROLLING_BACK}:
        assert Phase.ROLLING_BACK in TRANSITIONS[phase]
    reachable = {Phase.PENDING}
    for _ in Phase:
        reachable |= {after for before in reachable for after in TRANSITIONS[before]}
    assert reachable == set(Phase)


@pytest.mark.parametrize(
    ("phase", "percentage", "enabled"),
    [
        (Phase.PENDING, 0, False),
        (Phase.PROGRESSING, 50, True),
        (Phase.PAUSED, 50, True),
        (Phase.HOLDING, 50, True),
        (Phase.WATCHING, 100, True),
        (Phase.SUCCEEDED, 100, True),
        (Phase.ROLLING_BACK, 0, False),
        (Phase.ROLLED_BACK, 0, False),
    ],
)
def test_the_split_follows_from_the_phase(phase: Phase, percentage: float, enabled: bool) -> None:
    split = in_phase(phase).split
    assert (split.percentage, split.enabled, split.revision) == (percentage, enabled, 5)


def test_the_splits_revision_grows_with_the_split_and_with_nothing_else() -> None:
    rollout = in_phase(Phase.PROGRESSING)
    assert change(rollout, checkpoints_done=1).split_revision == 5
    assert change(rollout, endpoints=()).split_revision == 5
    assert change(rollout, endpoints=(EndpointRule("/x", enabled=False),)).split_revision == 6
    assert change(rollout, phase=Phase.WATCHING).split_revision == 6


@pytest.mark.parametrize(
    ("last_canary_at", "unheard", "met"),
    [(99.0, (), True), (100.0, (), True), (101.0, (), False), (None, (), True), (99.0, ("dead",), False)],
)
def test_a_deadline_is_met_by_the_last_request_routed_to_the_canary(
    last_canary_at: float | None, unheard: tuple[str, ...], met: bool
) -> None:
    receipt = Receipt(
        *("p95", "serinus", "deadline", None, 40.0, 90.0, 100.0, 5),
        proven=True,
        last_canary_at=last_canary_at,
        completed_at=120.0,
        unheard=unheard,
    )
    assert receipt.deadline_met is met


def test_a_receipt_says_nothing_about_a_deadline_that_there_is_none_of_or_that_is_still_running() -> None:
    running = Receipt("p95", "serinus", "deadline", None, 40.0, 90.0, 100.0, 5, proven=True)
    assert running.deadline_met is None
    manual = Receipt("manual", "olga", "", None, None, 90.0, None, 5, proven=False, completed_at=95.0)
    assert manual.deadline_met is None
