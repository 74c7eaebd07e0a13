"""What a drill measured, instant by instant."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType

from serinus.drill.faults import Fault
from serinus.rollout.events import Detail
from serinus.rollout.plan import Plan, Trigger

ALERT_SECONDS = 60.0
"""Within which of the decision the alert must have arrived."""


class DrillScope(StrEnum):
    """Whose applications: stand-ins made for the drill, or the running service's own two, behind a private layer."""

    STAGING = "staging"
    LIVE_SHADOW = "live-shadow"


@dataclass(frozen=True, slots=True)
class Drill:
    """`path` is what synthetic users ask for (GET) of a live service's applications. `reason`: of who ordered it."""

    fault: Fault
    scope: DrillScope
    plan: Plan
    path: str = "/"
    reason: str = ""

    @property
    def trigger(self) -> Trigger | None:
        """The plan's most urgent limit that the fault breaks."""
        found = [trigger for trigger in self.plan.triggers if trigger.limit.metric is self.fault.metric]
        return min(found, key=lambda trigger: trigger.deadline_seconds, default=None)


@dataclass(frozen=True, slots=True)
class DrillReceipt:
    """Instants in epoch seconds, None for what did not happen; counts of synthetic requests, `hurt` those that failed.

    `recovered_at`: the first good answer by LEGACY after the last bad one.
    """

    trigger: str
    cause: str
    deadline_seconds: float
    fault_at: float
    seen_at: float | None = None
    decided_at: float | None = None
    split_changed_at: float | None = None
    last_canary_at: float | None = None
    alerted_at: float | None = None
    recovered_at: float | None = None
    requests: int = 0
    canary_requests: int = 0
    hurt: int = 0

    @property
    def deadlines(self) -> Mapping[str, tuple[float | None, float]]:
        """What happened when, and by when it had to: seconds since the fault."""
        alert = (self.decided_at or self.fault_at) - self.fault_at + ALERT_SECONDS
        limits = dict.fromkeys(("seen", "decided", "split_changed", "last_canary"), self.deadline_seconds)
        limits |= {"alerted": alert, "recovered": self.deadline_seconds}
        return MappingProxyType({name: (self._after(name), limit) for name, limit in limits.items()})

    @property
    def missed(self) -> tuple[str, ...]:
        """What came too late, or never."""
        return tuple(name for name, (after, limit) in self.deadlines.items() if after is None or after > limit)

    @property
    def passed(self) -> bool:
        return not self.missed

    def _after(self, name: str) -> float | None:
        at: float | None = getattr(self, f"{name}_at")
        return None if at is None else at - self.fault_at

    def details(self) -> dict[str, Detail]:
        return {**asdict(self), "passed": self.passed, "missed": list(self.missed)}


@dataclass(slots=True)
class Answers:
    """What the synthetic users were answered: (when asked, when answered, by the canary, well)."""

    all: list[tuple[float, float, bool, bool]] = field(default_factory=list)

    def recovered_at(self, after_at: float) -> float | None:
        """When the first good answer by LEGACY came, after `after_at` and after every bad or canary one."""
        bad = max((asked_at for asked_at, _, canary, good in self.all if canary or not good), default=after_at)
        since_at = max(bad, after_at)
        return next(iter(sorted(at for at in self._good_since(since_at))), None)

    def _good_since(self, since_at: float) -> Iterator[float]:
        for asked_at, answered_at, canary, good in self.all:
            if asked_at > since_at and good and not canary:
                yield answered_at
