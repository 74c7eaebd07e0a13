"""A rollout on a manual clock: hand-made reports, agents that adopt splits late, and the laws that always hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from serinus.analysis.verdict import Check, Figures, LimitCheck, Metric, Report, Verdict
from serinus.rollout import commands
from serinus.rollout.approval import everything
from serinus.rollout.commands import Order
from serinus.rollout.events import Event, EventKind
from serinus.rollout.machine import decide
from serinus.rollout.plan import Plan, Trigger
from serinus.rollout.state import TRANSITIONS, AgentStatus, Decision, Fleet, Phase, Rollout
from serinus.storage.codec import dump, load

T0 = 1_760_000_000.0
HEALTHY = Figures(
    requests=2_000, valid=2_000, errors=1, error_rate=0.0005, availability=0.9995, p50_ms=80, p95_ms=900, p99_ms=1_200
)


def check(
    name: str, metric: Metric = Metric.ERROR_RATE, verdict: Verdict = Verdict.PASS, since: float | None = None
) -> Check:
    return Check(name, metric, verdict, f"{name}_{verdict}", since=since)


def quiet(name: str) -> LimitCheck:
    """A limit that nothing comes near."""
    return LimitCheck(check(name))


def breached(
    name: str, *, since: float, proven: bool = False, actionable: bool = True, environment: bool = False
) -> LimitCheck:
    verdict = Verdict.FAIL if proven else Verdict.INCONCLUSIVE
    return LimitCheck(check(name, verdict=verdict, since=since), True, actionable, environment)


def report(
    plan: Plan,
    at: float,
    *,
    slo: Verdict = Verdict.PASS,
    proof: Verdict = Verdict.PASS,
    limits: Mapping[str, LimitCheck] = MappingProxyType({}),
    worse: tuple[Check, ...] = (),
    holds: tuple[Check, ...] = (),
) -> Report:
    """A report in which everything is well, except for what is said."""
    return Report(
        at=at,
        through_at=at - 1.0,
        legacy=HEALTHY,
        canary=HEALTHY,
        slo=(check("error_rate", verdict=slo), check("p95", Metric.P95, slo), check("volume", Metric.VOLUME, slo)),
        proof=(check("error_rate", verdict=proof), check("p95", Metric.P95, proof)),
        worse=worse,
        limits={limit.name: quiet(limit.name) for limit in plan.criteria.limits} | dict(limits),
        holds=holds,
    )


@dataclass
class Agent:
    """Adopts a split `lag` seconds after it was decided, tells the store so, and routes until then; never goes back."""

    name: str
    lag: float = 1.0
    alive: bool = True
    in_flight: int = 0
    breaker_open: bool = False
    heard_at: float = T0
    revision: int = 0
    percentage: float = 0.0
    last_canary_at: float | None = None

    def beat(self, history: list[tuple[float, int, float]], now: float) -> None:
        if not self.alive:
            return
        self.heard_at = now
        for at, revision, percentage in history:
            if now >= at + self.lag and revision > self.revision:
                self.revision, self.percentage = revision, percentage
        if self.percentage > 0:
            self.last_canary_at = now

    @property
    def status(self) -> AgentStatus:
        return AgentStatus(
            self.name, self.heard_at, self.revision, self.last_canary_at, self.in_flight, self.breaker_open
        )


@dataclass
class Stage:
    """One rollout, one clock. `look` makes the report of an instant; every new state is checked against the laws."""

    plan: Plan
    look: Callable[["Stage"], Report] = lambda stage: report(stage.plan, stage.now)
    agents: list[Agent] = field(default_factory=lambda: [Agent("a"), Agent("b", lag=2.0)])
    now: float = T0
    tick_seconds: float = 1.0
    events: list[Event] = field(default_factory=list)
    history: list[tuple[float, int, float]] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    stale_after: float = 60.0

    def __post_init__(self) -> None:
        started = commands.start(self.plan, self.order("starter"), id="r1", previous=None, split_revision=7)
        self.rollout = started.rollout
        self.events += started.events
        self.phases.append(self.rollout.phase)
        self.history.append((self.now, self.rollout.split_revision, self.rollout.percentage))

    def order(self, by: str = "olga", reason: str = "") -> Order:
        return Order(by, self.now, reason)

    @property
    def fleet(self) -> Fleet:
        return Fleet(tuple(agent.status for agent in self.agents), self.stale_after)

    @property
    def report(self) -> Report:
        return self.look(self)

    def tick(self) -> None:
        self.now += self.tick_seconds
        for agent in self.agents:
            agent.beat(self.history, self.now)
        self.apply(decide(self.rollout, self.report, self.fleet, self.now))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.tick()

    def run_until(self, phase: Phase, *, within: float) -> None:
        end = self.now + within
        while self.rollout.phase is not phase:
            assert self.now < end, f"still {self.rollout.phase} after {within} s, not {phase}"
            self.tick()

    def run_until_step(self, step: int, *, within: float) -> None:
        end = self.now + within
        while self.rollout.step != step or self.rollout.phase is not Phase.PROGRESSING:
            assert self.now < end, f"still at step {self.rollout.step} after {within} s, not {step}"
            self.tick()

    def apply(self, decision: Decision) -> None:
        """Take a decision as the store would: through JSON, and only along the table."""
        before, after = self.rollout, decision.rollout
        if after is before and not decision.events:
            return
        hold_laws(before, decision)
        if decision.events:
            assert load(Rollout, dump(after)) == after
        for event in decision.events:
            assert load(Event, dump(event)) == event
        if after.phase is not before.phase:
            self.phases.append(after.phase)
        if after.split_revision != before.split_revision:
            self.history.append((self.now, after.split_revision, after.percentage))
        self.rollout = after
        self.events += decision.events

    def approve_all(self) -> None:
        for gate in self.rollout.current_step.approvals:
            order = self.order("anna", "looks well")
            step, report_at = self.rollout.step, self.report.at
            self.apply(
                commands.approve(
                    self.rollout, order, gate=gate.name, step=step, report_at=report_at, handed_in=everything(gate)
                )
            )

    def told(self, kind: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]


def hold_laws(before: Rollout, decision: Decision) -> None:
    """What is true of every decision and every command, whatever led to it."""
    after = decision.rollout
    if after.phase is not before.phase:
        told = TRANSITIONS[before.phase][after.phase]
        assert [event.kind for event in decision.events if event.kind in set(_all_transition_kinds())].count(told) == 1
    promoted = after.phase in {Phase.WATCHING, Phase.SUCCEEDED}
    assert 0 <= after.percentage <= (100 if promoted else after.plan.steps[after.step].percentage)
    assert after.split.percentage == after.percentage
    same_split = replace(after.split, revision=0) == replace(before.split, revision=0)
    assert after.split_revision == before.split_revision if same_split else after.split_revision > before.split_revision
    assert after.step in {before.step, before.step + 1}
    assert (after == before) or (after is not before)
    assert not decision.events or all(event.rollout_id == after.id for event in decision.events)
    if not before.is_active:
        assert after is before


def _all_transition_kinds() -> list[EventKind]:
    return [kind for arcs in TRANSITIONS.values() for kind in arcs.values()]


def trigger(plan: Plan, name: str) -> Trigger:
    return next(trigger for trigger in plan.triggers if trigger.limit.name == name)
