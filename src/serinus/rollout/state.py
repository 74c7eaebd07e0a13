"""Where a rollout stands, and the table of where it may go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from serinus.rollout.approval import Approval
from serinus.rollout.events import Event, EventKind
from serinus.rollout.plan import Plan, Severity, Step
from serinus.routing.split import EndpointRule, Split


class Phase(StrEnum):
    """PENDING has no traffic yet; HOLDING rests at the plan's last share; WATCHING is at 100 % with the triggers on."""

    PENDING = "pending"
    PROGRESSING = "progressing"
    PAUSED = "paused"
    HOLDING = "holding"
    WATCHING = "watching"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    SUCCEEDED = "succeeded"


# From -> to, and the event that tells of it. Whatever is not in this table cannot happen.
TRANSITIONS: Mapping[Phase, Mapping[Phase, EventKind]] = MappingProxyType(
    {
        Phase.PENDING: {
            Phase.PROGRESSING: EventKind.STEP_ENTERED,
            Phase.ROLLING_BACK: EventKind.ROLLBACK_STARTED,
        },
        Phase.PROGRESSING: {
            Phase.PAUSED: EventKind.PAUSED,
            Phase.HOLDING: EventKind.HOLDING,
            Phase.WATCHING: EventKind.PROMOTED,
            Phase.ROLLING_BACK: EventKind.ROLLBACK_STARTED,
        },
        Phase.PAUSED: {
            Phase.PROGRESSING: EventKind.RESUMED,
            Phase.HOLDING: EventKind.RESUMED,
            Phase.ROLLING_BACK: EventKind.ROLLBACK_STARTED,
        },
        Phase.HOLDING: {
            Phase.PAUSED: EventKind.PAUSED,
            Phase.WATCHING: EventKind.PROMOTED,
            Phase.ROLLING_BACK: EventKind.ROLLBACK_STARTED,
        },
        Phase.WATCHING: {
            Phase.PAUSED: EventKind.PAUSED,
            Phase.HOLDING: EventKind.HOLDING,
            Phase.SUCCEEDED: EventKind.SUCCEEDED,
            Phase.ROLLING_BACK: EventKind.ROLLBACK_STARTED,
        },
        Phase.ROLLING_BACK: {Phase.ROLLED_BACK: EventKind.ROLLBACK_COMPLETED},
        Phase.ROLLED_BACK: {},
        Phase.SUCCEEDED: {},
    }
)
WITHOUT_CANARY = frozenset({Phase.PENDING, Phase.ROLLING_BACK, Phase.ROLLED_BACK})
FINISHED = frozenset({Phase.ROLLED_BACK, Phase.SUCCEEDED})


@dataclass(frozen=True, slots=True)
class Pause:
    """`cap_percentage` keeps the share below the step's while paused; `phase` is where resuming leads back to."""

    at: float
    by: str
    reason: str
    cap_percentage: float | None = None
    phase: Phase = Phase.PROGRESSING


@dataclass(frozen=True, slots=True)
class Breach:
    """A trigger whose limit is observed to be exceeded: since when, and until when it must be dealt with.

    While `environment` is true LEGACY is beyond the limit too and the deadline rests; when LEGACY alone recovers, it
    runs anew from there. `missed_at`: when people were told that the deadline passed with the canary still serving.
    """

    trigger: str
    severity: Severity
    since_at: float
    seen_at: float
    deadline_at: float
    environment: bool = False
    missed_at: float | None = None

    @property
    def incident(self) -> str:
        """The name under which alerts about this breach are one."""
        return f"{self.trigger}@{self.since_at:.0f}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a rollback took, instant by instant (epoch seconds); `deadline_met` is known once it is complete.

    `split_changed_at` is when every agent that lives was seen to have adopted 0 %, `completed_at` when its requests in
    flight had drained too (or were waited for no longer: `in_flight`). `last_canary_at` is when the last request was
    *routed* to the canary; `unheard` names the agents that never confirmed and were given up for dead, whose users the
    dead-man's switch has sent to LEGACY. `deadline_missed_at`: when people were told that the deadline had passed.
    """

    cause: str
    by: str
    reason: str
    severity: Severity | None
    breach_at: float | None
    decided_at: float
    deadline_at: float | None
    split_revision: int
    proven: bool
    split_changed_at: float | None = None
    last_canary_at: float | None = None
    completed_at: float | None = None
    in_flight: int = 0
    unheard: tuple[str, ...] = ()
    deadline_missed_at: float | None = None

    @property
    def deadline_met(self) -> bool | None:
        """None without a deadline, or while it runs. Of agents unheard nothing is known before `completed_at`."""
        if self.deadline_at is None or self.completed_at is None:
            return None
        last_canary_at = self.decided_at if self.last_canary_at is None else self.last_canary_at
        return (self.completed_at if self.unheard else last_canary_at) <= self.deadline_at


@dataclass(frozen=True, slots=True)
class Rollout:
    """`revision` counts saved states, `split_revision` orders splits for the agents.

    `step` indexes `plan.steps`; figures count from `step_started_at`, which moves with every change of the split (and
    with the promotion), the bake time from `stable_since`: it moves forward by pauses and by times in which nobody
    watched, and starts anew after a freeze. `observed_at` is the last instant, give or take a quarter of the agents'
    `stale_after`, at which a controller saw fresh figures. `waiting_for` names the approvals that people have been
    asked for. `alerts` holds the incidents of alert rules that are raised. `endpoints` are the operator's rules in
    place of the plan's.
    """

    id: str
    plan: Plan
    phase: Phase
    started_by: str
    started_at: float
    step: int
    step_started_at: float
    stable_since: float
    revision: int = 0
    split_revision: int = 0
    pause: Pause | None = None
    approvals: tuple[Approval, ...] = ()
    breaches: tuple[Breach, ...] = ()
    alerts: tuple[str, ...] = ()
    frozen_by: str | None = None
    checkpoints_done: int = 0
    waiting_for: tuple[str, ...] = ()
    promoted_at: float | None = None
    receipt: Receipt | None = None
    finished_at: float | None = None
    endpoints: tuple[EndpointRule, ...] | None = None
    observed_at: float | None = None

    @property
    def current_step(self) -> Step:
        return self.plan.steps[self.step]

    @property
    def is_last_step(self) -> bool:
        return self.step == len(self.plan.steps) - 1

    @property
    def is_active(self) -> bool:
        """Whether there is anything left to decide."""
        return self.phase not in FINISHED

    @property
    def standing(self) -> str:
        """What a person who gives an order has seen: another one as soon as they should look again.

        `revision` is no such thing: it grows with every word that a controller stores.
        """
        mood = "calm" if self.frozen_by is None else "frozen"
        return f"{self.id}.{self.phase}.{self.step}.{self.split_revision}.{mood}"

    @property
    def percentage(self) -> float:
        """The share that this state asks for: never above the plan's, whatever happened."""
        if self.phase in WITHOUT_CANARY:
            return 0.0
        if self.phase in {Phase.WATCHING, Phase.SUCCEEDED}:
            return 100.0
        share = self.current_step.percentage
        cap = self.pause.cap_percentage if self.pause else None
        return share if cap is None else min(share, cap)

    @property
    def split(self) -> Split:
        """What the routers are to do."""
        return Split(
            revision=self.split_revision,
            enabled=self.phase not in WITHOUT_CANARY,
            percentage=self.percentage,
            salt=self.plan.salt,
            endpoints=self.plan.endpoints if self.endpoints is None else self.endpoints,
        )


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """What one agent last told the store. `last_canary_at`: when it last routed a request to the canary.

    `dropped` requests whose counts were given up, and requests whose subject function failed, since it started.
    """

    agent: str
    heard_at: float
    split_revision: int
    last_canary_at: float | None = None
    canary_in_flight: int = 0
    breaker_open: bool = False
    dropped: int = 0
    subject_failures: int = 0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every agent heard of lately, and after how long without word one is on LEGACY by itself."""

    agents: tuple[AgentStatus, ...] = ()
    stale_after_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The next state and what is to be told; `rollout` is the same object when nothing changed."""

    rollout: Rollout
    events: tuple[Event, ...] = field(default=())

    def then(self, follow: Callable[[Rollout], "Decision"]) -> "Decision":
        """Decide further, from the state that this decision leads to."""
        following = follow(self.rollout)
        return Decision(following.rollout, self.events + following.events)


def change(rollout: Rollout, **changes: Any) -> Rollout:
    """The only way to another state: `TRANSITIONS` holds; `split_revision` grows if and only if the split changes."""
    after = replace(rollout, **changes)
    if after.phase is not rollout.phase and after.phase not in TRANSITIONS[rollout.phase]:
        raise ValueError(f"a rollout that is {rollout.phase} cannot become {after.phase}")
    if after.split == rollout.split:
        return after
    return replace(after, split_revision=rollout.split_revision + 1)


def move(rollout: Rollout, phase: Phase, event: Event, **changes: Any) -> Decision:
    """To `phase`, told by the event that `TRANSITIONS` asks for."""
    if TRANSITIONS[rollout.phase].get(phase) is not event.kind:
        raise ValueError(f"{event.kind} does not tell of a rollout that is {rollout.phase} and becomes {phase}")
    return Decision(change(rollout, phase=phase, **changes), (event,))


def anew(at: float) -> dict[str, Any]:
    """What begins again with every step and every other change of the share."""
    return {
        "step_started_at": at,
        "stable_since": at,
        "observed_at": at,
        "checkpoints_done": 0,
        "approvals": (),
        "waiting_for": (),
    }
