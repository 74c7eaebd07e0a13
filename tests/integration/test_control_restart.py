"""A process may end in any second of a rollout, and the next one goes on where it stood."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import pytest

from control_room import PLAN, Room, live
from serinus.control.controller import Controller
from serinus.rollout.events import Event, EventKind
from serinus.rollout.plan import ApprovalGate, Plan, Step
from serinus.rollout.state import TRANSITIONS, Phase, Rollout

MOVING = {kind for ways in TRANSITIONS.values() for kind in ways.values()} | {EventKind.ADVANCED, EventKind.APPROVED}

Happening = Callable[[Room], Awaitable[object]]


async def breaks(room: Room) -> None:
    room.new.status = 500


async def pauses(room: Room) -> None:
    await room.commands.pause(room.order("lunch"), 10.0)


async def resumes(room: Room) -> None:
    await room.commands.resume(room.order("back"))


async def approves(room: Room) -> None:
    rollout = await room.rollout()
    report = await room.store.latest_report(rollout.id)
    assert report is not None
    await room.commands.approve(room.order(by="boss"), gate="boss", step=rollout.step, report_at=report.at)


async def aborts(room: Room) -> None:
    await room.commands.abort(room.order("enough"))


APPROVED = replace(PLAN, steps=(Step(20, bake_seconds=2, approvals=(ApprovalGate("boss"),)), Step(50, bake_seconds=3)))


@dataclass(frozen=True)
class Story:
    """What happens in which second, and where the rollout is at the end."""

    end: Phase
    happenings: Mapping[int, Happening] = field(default_factory=dict)
    plan: Plan = PLAN
    seconds: int = 28


STORIES = {
    "undisturbed": Story(Phase.SUCCEEDED),
    "broken": Story(Phase.ROLLED_BACK, {4: breaks}),
    "aborted": Story(Phase.ROLLED_BACK, {9: aborts}),
    "paused and resumed": Story(Phase.SUCCEEDED, {3: pauses, 7: resumes}),
    "waiting for approval": Story(Phase.SUCCEEDED, {8: approves}, APPROVED),
}


def told(story: Story, renew: Callable[[Room, int], Awaitable[None]]) -> tuple[Rollout, list[Event]]:
    """The rollout at the end, and its events; `renew` may replace parts of the process at the beginning of a second."""
    found: list[tuple[Rollout, list[Event]]] = []

    async def tell(room: Room) -> None:
        room.stale_after_seconds = 5.0  # so that the agents of former processes are given up soon
        room.enter()
        await room.commands.start(story.plan, room.order())
        for second in range(story.seconds):
            if happening := story.happenings.get(second):
                await happening(room)
            await renew(room, second)
            await room.second(30)
        found.append((await room.rollout(), await room.store.events(limit=1_000)))

    live(tell)
    return found[0]


async def everything_stays(_room: Room, _second: int) -> None: ...


async def another_controller(room: Room, _second: int) -> None:
    room.controller = Controller(room.store, room.clock, stale_after_seconds=room.stale_after_seconds)


def another_process(in_second: int) -> Callable[[Room, int], Awaitable[None]]:
    async def renew(room: Room, second: int) -> None:
        if second == in_second:
            room.enter()
            await room.agent.refresh()
            assert room.canary.router.split == (await room.store.split()).split

    return renew


@cache
def undisturbed(name: str) -> tuple[Rollout, list[Event]]:
    return told(STORIES[name], everything_stays)


def moves(events: list[Event]) -> list[EventKind]:
    """What moved the rollout: a killed process takes its last counts and its breaker with it, and nothing else."""
    return [event.kind for event in events if event.kind in MOVING]


def goes_on(name: str, in_second: int) -> None:
    _, events = undisturbed(name)
    rollout, again = told(STORIES[name], another_process(in_second))
    assert rollout.phase is STORIES[name].end
    assert moves(again) == moves(events)
    if rollout.receipt:
        assert rollout.receipt.deadline_met is not False


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_a_controller_that_is_replaced_before_every_tick_decides_the_same_at_the_same_time(name: str) -> None:
    one, events = undisturbed(name)
    other, again = told(STORIES[name], another_controller)
    assert one.phase is STORIES[name].end
    assert [(event.kind, event.at, event.reason) for event in again] == [
        (event.kind, event.at, event.reason) for event in events
    ]
    assert (other.phase, other.step, other.split, other.stable_since) == (
        *(one.phase, one.step, one.split, one.stable_since),
    )


@pytest.mark.parametrize(
    ("name", "second"),
    [("broken", 5), ("broken", 8), ("aborted", 10), ("paused and resumed", 5), ("waiting for approval", 6)],
)
def test_a_process_that_is_killed_in_the_middle_is_followed_by_one_that_goes_on(name: str, second: int) -> None:
    goes_on(name, second)


@pytest.mark.slow
@pytest.mark.parametrize("second", range(14))
@pytest.mark.parametrize("name", STORIES)
def test_a_process_may_be_killed_in_any_second(name: str, second: int) -> None:
    goes_on(name, second)
