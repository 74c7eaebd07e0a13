"""Whatever happens in whatever order: the laws of a rollout, on a machine that tries to break them."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scenarios.stage import Agent, Stage, breached, check, report, trigger
from serinus.analysis.verdict import Check, LimitCheck, Metric, Report, Verdict
from serinus.errors import InvalidInput, Refused
from serinus.plans import load_shipped
from serinus.rollout import commands
from serinus.rollout.gates import FRESH_SECONDS
from serinus.rollout.plan import AtDeadline, Evidence, Final, Plan
from serinus.rollout.state import Decision, Phase, Rollout
from serinus.rollout.triggers import act_at
from serinus.routing.split import EndpointRule

DEMO = load_shipped("demo")
THREE_STEPS = replace(DEMO, steps=(replace(DEMO.steps[0], percentage=5), *DEMO.steps))
PLANS = (
    DEMO,
    THREE_STEPS,
    replace(THREE_STEPS, final=Final.HOLD, client_errors=AtDeadline.HOLD),
    replace(DEMO, triggers=tuple(replace(each, at_deadline=AtDeadline.HOLD) for each in DEMO.triggers)),
)
NAMES = [each.limit.name for each in DEMO.triggers]
TRAFFIC = {Phase.PROGRESSING, Phase.PAUSED, Phase.HOLDING, Phase.WATCHING}
VERDICTS = st.sampled_from([Verdict.PASS] * 5 + list(Verdict))
MISCHIEF = st.sampled_from([False, False, False, True])


class RolloutMachine(RuleBasedStateMachine):
    """Fair and foul weather, agents that die and lag, a controller that is away, and people who order anything."""

    @initialize(plan=st.sampled_from(PLANS), agents=st.integers(1, 3), sailed=st.integers(0, 5))
    def begin(self, plan: Plan, agents: int, sailed: int) -> None:
        self.stage = Stage(plan, look=self._look, agents=[Agent(f"agent-{i}") for i in range(agents)])
        self.slo = self.proof = Verdict.PASS
        self.limits: dict[str, tuple[float, bool, bool, bool]] = {}
        self.worse: tuple[Check, ...] = ()
        self.holds: tuple[Check, ...] = ()
        self.silent_since: float | None = None
        self.watched_seconds = 0.0  # the bake time by an independent count
        self.last_fresh_at = self.stage.now
        self.unheard: tuple[float, float] | None = None  # from when to when nothing had come as a pause began
        self.aborted = False
        for _ in range(sailed):
            self.fair_weather()

    def _look(self, stage: Stage) -> Report:
        limits: dict[str, LimitCheck] = {
            name: breached(name, since=since, proven=proven, actionable=actionable, environment=environment)
            for name, (since, proven, actionable, environment) in self.limits.items()
        }
        whole = report(
            stage.plan, stage.now, slo=self.slo, proof=self.proof, limits=limits, worse=self.worse, holds=self.holds
        )
        return whole if self.silent_since is None else replace(whole, through_at=self.silent_since)

    @rule(dt=st.floats(0.2, 2.0), times=st.integers(1, 30))
    def tick(self, dt: float, times: int) -> None:
        self.stage.tick_seconds = dt
        for _ in range(times):
            self._tick()

    @rule()
    def fair_weather(self) -> None:
        """For about a step: without it, hardly any run would get beyond the first."""
        self.all_is_well()
        self.stage.agents[0].alive = True
        for agent in self.stage.agents:
            agent.breaker_open = False
        self.stage.tick_seconds = 1.0
        for _ in range(26):
            self._tick()
        if self.stage.rollout.phase in TRAFFIC:
            self.somebody_approves()

    @rule(seconds=st.floats(5, 100_000))
    def the_controller_is_away(self, seconds: float) -> None:
        self.stage.now += seconds
        self._tick()

    @rule(slo=VERDICTS, proof=VERDICTS)
    def the_comparison_says(self, slo: Verdict, proof: Verdict) -> None:
        self.slo, self.proof = slo, proof

    @rule(name=st.sampled_from(NAMES), proven=MISCHIEF, actionable=st.booleans(), environment=MISCHIEF)
    def a_limit_is_breached(self, name: str, *, proven: bool, actionable: bool, environment: bool) -> None:
        self.limits[name] = (self.stage.now, proven, actionable, environment)

    @rule()
    def all_is_well(self) -> None:
        self.limits, self.worse, self.holds, self.silent_since = {}, (), (), None
        self.slo = self.proof = Verdict.PASS

    @rule(metric=st.sampled_from([Metric.ERROR_RATE, Metric.CLIENT_ERROR_RATE]), holds=st.booleans())
    def something_is_found(self, metric: Metric, *, holds: bool) -> None:
        found = (check(metric.value, metric, Verdict.FAIL),)
        self.worse, self.holds = ((), found) if holds else (found, ())

    @rule()
    def the_figures_stop_coming(self) -> None:
        self.silent_since = self.stage.now - 1

    @rule(index=st.integers(0, 2), alive=st.booleans(), lag=st.sampled_from([0.0, 2.0, 50.0]), in_flight=MISCHIEF)
    def an_agent_changes(self, index: int, lag: float, *, alive: bool, in_flight: bool) -> None:
        agent = self.stage.agents[index % len(self.stage.agents)]
        agent.alive, agent.lag, agent.in_flight, agent.breaker_open = alive, lag, int(in_flight), in_flight

    @precondition(lambda self: self.stage.rollout.phase in TRAFFIC)
    @rule()
    def somebody_approves(self) -> None:
        for gate in self.stage.rollout.current_step.approvals:
            self._order("approve", gate=gate.name, step=self.stage.rollout.step, report_at=self.stage.report.at)

    @rule(verb=st.sampled_from(["pause", "resume", "hold"]))
    def somebody_orders(self, verb: str) -> None:
        self._order(verb)

    @rule(verb=st.sampled_from(["advance", "promote"]), reason=st.sampled_from(["", "I insist"]))
    def somebody_wants_on(self, verb: str, reason: str) -> None:
        seen = self.stage.report
        before = self.stage.rollout
        if self._order(verb, seen, reason=reason):
            checks = (*seen.slo, *seen.worse, *seen.holds, *(seen.proof if verb == "promote" else ()))
            allowed = {Verdict.PASS} if verb == "promote" else {Verdict.PASS, Verdict.INCONCLUSIVE}
            assert {each.verdict for each in checks} <= allowed
            assert {approval.gate for approval in before.approvals} == {g.name for g in before.current_step.approvals}
            assert before.frozen_by is None

    @rule(percentage=st.floats(0.5, 101), endpoint=st.booleans())
    def somebody_configures(self, percentage: float, *, endpoint: bool) -> None:
        endpoints = (EndpointRule("/x", enabled=endpoint),) if endpoint else None
        before = self.stage.rollout.percentage
        self._order("configure", percentage=percentage, endpoints=endpoints)
        assert self.stage.rollout.percentage <= before

    @precondition(lambda self: self.stage.rollout.is_active)
    @rule(verb=st.sampled_from(["abort", "abort", "zero", "roll_back"]), really=MISCHIEF)
    def somebody_has_enough(self, verb: str, *, really: bool) -> None:
        if not really or (verb == "roll_back" and self.stage.rollout.phase is Phase.PENDING):
            return
        if verb == "zero":
            assert self._order("configure", percentage=0.0)
        else:
            assert self._order(verb)
        self.aborted = True
        assert self.stage.rollout.phase is Phase.ROLLING_BACK

    @invariant()
    def abort_always_wins(self) -> None:
        if self.aborted:
            assert self.stage.rollout.phase in {Phase.ROLLING_BACK, Phase.ROLLED_BACK}
            assert self.stage.rollout.percentage == 0

    def _order(self, verb: str, *arguments: object, reason: str = "", **named: object) -> bool:
        before = self.stage.rollout
        try:
            decision: Decision = getattr(commands, verb)(before, self.stage.order(reason=reason), *arguments, **named)
        except (Refused, InvalidInput):
            assert self.stage.rollout is before
            return False
        self.stage.apply(decision)
        self._count_anew_if_changed(before)
        return True

    def _tick(self) -> None:
        before = self.stage.rollout
        self.stage.tick()
        self._count(before)
        self._no_advance_but_on_pass(before)
        self._a_rollback_ends_when_traffic_has_stopped(before)
        self._no_deadline_is_let_pass()
        self._count_anew_if_changed(before)

    def _count(self, before: Rollout) -> None:
        seen = self.stage.report
        if seen.through_at is None or self.stage.now - seen.through_at > FRESH_SECONDS:
            return
        gap = self.stage.now - self.last_fresh_at
        self.last_fresh_at = self.stage.now
        if self.unheard is not None:  # what has come after all, soon enough, was only late
            since, until = self.unheard
            heard_by = until if before.phase is Phase.PAUSED else self.stage.now
            self.watched_seconds += until - since if heard_by - since <= self.stage.stale_after else 0.0
            self.unheard = None
        if before.phase in {Phase.PROGRESSING, Phase.WATCHING} and gap <= self.stage.stale_after:
            self.watched_seconds += gap

    def _count_anew_if_changed(self, before: Rollout) -> None:
        after = self.stage.rollout
        if after.step_started_at != before.step_started_at or after.frozen_by or before.frozen_by:
            self.watched_seconds = 0.0
            self.last_fresh_at = self.stage.now
            self.unheard = None
        elif after.phase is not before.phase:
            if after.phase is Phase.PAUSED and before.phase is Phase.PROGRESSING and self.unheard is None:
                self.unheard = self.last_fresh_at, self.stage.now
            self.last_fresh_at = self.stage.now

    def _no_advance_but_on_pass(self, before: Rollout) -> None:
        after, seen = self.stage.rollout, self.stage.report
        onward = after.step > before.step or (
            before.phase is Phase.PROGRESSING and after.phase in {Phase.WATCHING, Phase.HOLDING}
        )
        if before.phase is Phase.WATCHING and after.phase is Phase.SUCCEEDED:
            assert self.watched_seconds >= before.plan.watch_seconds
        if not onward:
            return
        step = before.current_step
        assert {each.verdict for each in seen.slo} == {Verdict.PASS}
        assert step.evidence is Evidence.OBSERVED or {each.verdict for each in seen.proof} == {Verdict.PASS}
        assert not self.limits
        assert not self.worse
        assert not self.holds
        assert self.watched_seconds >= step.bake_seconds
        if after.phase is not Phase.HOLDING:
            assert {approval.gate for approval in before.approvals} == {gate.name for gate in step.approvals}

    def _a_rollback_ends_when_traffic_has_stopped(self, before: Rollout) -> None:
        if before.phase is Phase.ROLLING_BACK and self.stage.rollout.phase is Phase.ROLLED_BACK:
            for agent in self.stage.agents:
                silent = self.stage.now - agent.heard_at
                assert agent.percentage == 0 or silent > self.stage.stale_after

    def _no_deadline_is_let_pass(self) -> None:
        if self.stage.rollout.phase not in TRAFFIC:
            return
        seen = self.stage.report
        for breach in self.stage.rollout.breaches:
            wanted = trigger(self.stage.plan, breach.trigger)
            due = self.stage.now >= act_at(breach, wanted) and wanted.at_deadline is AtDeadline.ROLL_BACK
            assert breach.environment or not due or not seen.limits[breach.trigger].actionable


class TestRollout(RolloutMachine.TestCase):
    settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


@pytest.mark.slow
class TestRolloutForLong(RolloutMachine.TestCase):
    settings = settings(max_examples=1_000, stateful_step_count=60, deadline=None)
