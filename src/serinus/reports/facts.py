"""What a document is made from: everything that was stored about it, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from serinus.analysis.verdict import Report
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Cell, merge
from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import AgentStatus, Rollout
from serinus.storage.deliveries import Told
from serinus.storage.rollups import TimelinePoint

SILENT_SECONDS = 10.0  # a controller ticks every second; the rest is for slow stores
LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
Pair = Mapping[DeploymentVersion, Cell]


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted from `since_at` until `until_at` (epoch seconds), in points of `resolution_seconds`."""

    since_at: float
    until_at: float
    resolution_seconds: int
    timeline: tuple[TimelinePoint, ...] = ()
    endpoints: Mapping[str, Pair] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def total(self) -> Pair:
        return added_up(self.timeline)

    @property
    def seconds(self) -> float:
        return self.until_at - self.since_at


@dataclass(frozen=True, slots=True)
class Installation:
    """Who watches and who is told: `channels` are those that reach people.

    `controller_silent_seconds` is None when none was ever heard.
    """

    agents: tuple[AgentStatus, ...] = ()
    controller_silent_seconds: float | None = None
    channels: tuple[str, ...] = ()

    @property
    def is_watched(self) -> bool:
        silent = self.controller_silent_seconds
        return silent is not None and silent <= SILENT_SECONDS


@dataclass(frozen=True, slots=True)
class Facts:
    """`events` are the rollout's, the oldest first; `report` is what the controller saw last.

    `tests` is the event with the latest test results that were handed in, `baseline` LEGACY before the rollout,
    `last_drill` the end of the last drill.
    """

    now: float
    window: Window
    rollout: Rollout | None = None
    report: Report | None = None
    events: tuple[Event, ...] = ()
    told: tuple[Told, ...] = ()
    tests: Event | None = None
    last_drill: Event | None = None
    baseline: Window | None = None
    installation: Installation = field(default_factory=Installation)

    def of(self, *kinds: EventKind) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind in kinds)

    @property
    def drill(self) -> Event:
        """The end of the drill that the document is about."""
        return self.of(EventKind.DRILL_COMPLETED)[-1]

    @property
    def started(self) -> Rollout:
        """The rollout of a document that cannot be without one."""
        if self.rollout is None:
            raise ValueError("this document is about a rollout")
        return self.rollout


def added_up(points: tuple[TimelinePoint, ...]) -> Pair:
    return {version: merge(point.cells[version] for point in points) for version in (LEGACY, CANARY)}
