"""What a plan would have done with requests that were recorded: the log's own time is the clock."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import md5
from itertools import groupby

from serinus.analysis.analyze import analyze, enter_step, fold, start
from serinus.analysis.slices import GRACE_SECONDS, StoredSnapshot, closed_slices
from serinus.analysis.verdict import Report
from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.snapshot import SLICE_SECONDS, SLOTS, Cell, CellKey, Outcome, Snapshot
from serinus.rollout import commands
from serinus.rollout.approval import everything
from serinus.rollout.commands import Order
from serinus.rollout.events import Event
from serinus.rollout.gates import closed, gates
from serinus.rollout.machine import decide
from serinus.rollout.plan import Plan
from serinus.rollout.state import AgentStatus, Decision, Fleet

ACTOR = "replay"
APPROVER = "approver"
LONGEST_SILENCE_SECONDS = 3_600.0
CLIENT_CLOSED = 499  # nginx: the client went away


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request of a log. `at`: epoch seconds; without a `subject` it is taken for a user of its own."""

    at: float
    version: DeploymentVersion
    status: int
    seconds: float
    subject: str | None = None
    path: str = OTHER_ENDPOINT

    @property
    def outcome(self) -> Outcome:
        """By the status alone: degraded answers cannot be told from others."""
        if self.status == CLIENT_CLOSED:
            return Outcome.CANCELLED
        if self.status >= 500:
            return Outcome.FAILED
        return Outcome.CLIENT_ERROR if self.status >= 400 else Outcome.OK


@dataclass(frozen=True, slots=True)
class Window:
    """All requests of one slice's 2 s, counted."""

    started_at: float
    cells: Mapping[CellKey, Cell]
    requests: int = 0


def windows(requests: Iterable[Recorded]) -> Iterator[Window]:
    """The log in steps of a slice, from its first request to its last, those without any request included.

    `requests` must be in the order of time. A silence of over `LONGEST_SILENCE_SECONDS` is left out: nobody watched.
    """
    collector, expected, number = CanaryMetricsCollector(), None, 0
    for index, members in groupby(requests, key=lambda request: request.at // SLICE_SECONDS):
        silent = expected is not None and (index - expected) * SLICE_SECONDS > LONGEST_SILENCE_SECONDS
        while expected is not None and expected < index and not silent:
            yield Window(expected * SLICE_SECONDS, {})
            expected += 1
        before = number
        for request in members:
            slot = number % SLOTS if request.subject is None else _slot(request.subject)
            number += 1
            collector.record(
                request.version, request.path, request.outcome, request.seconds, status=request.status, slot=slot
            )
        yield Window(index * SLICE_SECONDS, collector.drain(), number - before)
        expected = index + 1


def _slot(subject: str) -> int:
    return md5(subject.encode(errors="surrogatepass"), usedforsecurity=False).digest()[-1] % SLOTS


class Replay:
    """One rollout by `plan`, started at `at`, that one process confirms at once; people approve as soon as asked."""

    def __init__(self, plan: Plan, at: float) -> None:
        decision = commands.start(plan, Order(ACTOR, at), id=ACTOR, previous=None, split_revision=0)
        self.rollout = decision.rollout
        self.events: list[Event] = [*decision.events]
        self.looked_at = at
        self._sequence = 0
        self._last_canary_at: float | None = None
        self._evidence = start(plan.criteria, at)
        self._report = analyze(self._evidence, plan.criteria, at)
        self._decide()

    @property
    def report(self) -> Report:
        """The last look's."""
        return self._report

    @property
    def closed_gates(self) -> tuple[str, ...]:
        """What stands between the last look and the next step."""
        return tuple(status.name for status in closed(gates(self.rollout, self._report, self.looked_at)))

    def see(self, window: Window) -> None:
        """Judge once more, when the window's slice has closed."""
        if not self.rollout.is_active:
            return
        self._fold(window)
        self.looked_at = window.started_at + SLICE_SECONDS + GRACE_SECONDS
        self._report = analyze(self._evidence, self.rollout.plan.criteria, self.looked_at)
        self._decide()

    def _fold(self, window: Window) -> None:
        at = window.started_at
        snapshot = Snapshot(ACTOR, self._sequence, at, at + 1, self.rollout.split_revision, window.cells)
        row = StoredSnapshot(1, at + SLICE_SECONDS, snapshot)
        slices, _ = closed_slices([row], after=0, now=at + SLICE_SECONDS + GRACE_SECONDS)
        self._sequence += 1
        if self.rollout.split.enabled and any(key.version is DeploymentVersion.CANARY for key in window.cells):
            self._last_canary_at = at + SLICE_SECONDS
        for slice_ in slices:
            self._evidence = fold(self._evidence, slice_, self.rollout.plan.criteria)

    def _decide(self) -> None:
        agent = AgentStatus(ACTOR, self.looked_at, self.rollout.split_revision, self._last_canary_at)
        self._take(decide(self.rollout, self._report, Fleet((agent,)), self.looked_at))
        for gate in self.rollout.waiting_for:
            self._take(self._approve(gate))

    def _approve(self, gate: str) -> Decision:
        """By somebody else than who started, with all that the gate asks for."""
        order, step = Order(APPROVER, self.looked_at), self.rollout.step
        [wanted] = [each for each in self.rollout.current_step.approvals if each.name == gate]
        return commands.approve(
            self.rollout, order, gate=gate, step=step, report_at=self._report.at, handed_in=everything(wanted)
        )

    def _take(self, decision: Decision) -> None:
        self.rollout = decision.rollout
        self.events += decision.events
        if self._evidence.step.started_at != self.rollout.step_started_at:
            at, revision = self.rollout.step_started_at, self.rollout.split_revision
            self._evidence = enter_step(self._evidence, at=at, split_revision=revision)


__all__ = ["ACTOR", "OTHER_ENDPOINT", "DeploymentVersion", "Recorded", "Replay", "Window", "windows"]
