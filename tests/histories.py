"""What the stored events of a rollout say about it, checked against the table of transitions."""

from collections.abc import Sequence

from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import TRANSITIONS, Phase

MOVING = {kind for ways in TRANSITIONS.values() for kind in ways.values()} - {EventKind.STEP_ENTERED}


def replayed(events: Sequence[Event]) -> set[Phase]:
    """The phases that a rollout's events may lead to; every one of them must be possible where it stands."""
    kinds = [event.kind for event in events]
    assert kinds[0] is EventKind.STARTED
    assert kinds.count(EventKind.STARTED) == 1
    steps = [event.details["step"] for event in events if event.kind is EventKind.STEP_ENTERED]
    assert steps == list(range(len(steps))), "a step is entered once, and none is left out"
    phases = {Phase.PENDING}
    for kind in kinds:
        moved = {to for phase in phases for to, told_by in TRANSITIONS[phase].items() if told_by is kind}
        assert moved or kind not in MOVING, f"{kind} while {phases}"
        phases = moved or phases
    return phases
