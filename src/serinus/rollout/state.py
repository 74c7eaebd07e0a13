"""Where a rollout stands, and the table of where it may go."""

from dataclasses import dataclass, field
from enum import StrEnum

from serinus.rollout.events import Event
from serinus.rollout.plan import Plan, Severity
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


@dataclass(frozen=True, slots=True)
class Pause:
    """`cap_percentage` keeps the share below the step's while paused."""

    at: float
    by: str
    reason: str
    cap_percentage: float | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Bound to the step and to the report that the approver saw (`report_at`)."""

    gate: str
    step: int
    by: str
    at: float
    report_at: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """A trigger whose limit is observed to be exceeded: since when, and until when it must be dealt with."""

    trigger: str
    severity: Severity
    since_at: float
    seen_at: float
    deadline_at: float

    @property
    def incident(self) -> str:
        """The name under which alerts about this breach are one."""
        return f"{self.trigger}@{self.since_at:.0f}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a rollback took, instant by instant (epoch seconds); `deadline_met` is known once it is complete.

    `last_canary_at` is when the last request was *routed* to the canary; `unheard` names the agents that never confirmed
    and were given up for dead, whose users the dead-man's switch has sent to LEGACY.
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

    @property
    def deadline_met(self) -> bool | None:
        """None without a deadline, or while the rollback runs."""
        if self.deadline_at is None or self.completed_at is None:
            return None
        return (self.last_canary_at or self.decided_at) <= self.deadline_at


@dataclass(frozen=True, slots=True)
class Rollout:
    """`revision` counts saved states, `split_revision` orders splits for the agents.

    `step` indexes `plan.steps`; figures count from `step_started_at`, the bake time from `stable_since`, which moves
    forward over pauses, breaches and freezes. `endpoints` are the operator's rules over the plan's.
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
    waiting_for: str | None = None
    promoted_at: float | None = None
    receipt: Receipt | None = None
    finished_at: float | None = None
    endpoints: tuple[EndpointRule, ...] | None = None

    @property
    def percentage(self) -> float:
        """The share that this state asks for: never above the plan's, whatever happened."""
        raise NotImplementedError

    @property
    def split(self) -> Split:
        """What the routers are to do."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """What one agent last told the store. `last_canary_at`: when it last routed a request to the canary."""

    agent: str
    heard_at: float
    split_revision: int
    last_canary_at: float | None = None
    canary_in_flight: int = 0
    breaker_open: bool = False
    dropped: int = 0


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
