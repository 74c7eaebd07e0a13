"""Rollbacks on a manual clock: what starts them, by when they are over, and what their receipts say."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.stage import T0, Agent, Stage, breached, check, report, trigger
from serinus.analysis.verdict import LimitCheck, Metric, Report, Verdict
from serinus.messages import render_event
from serinus.plans import load_shipped
from serinus.rollout import commands
from serinus.rollout.events import EventKind
from serinus.rollout.plan import AtDeadline, Plan
from serinus.rollout.state import Phase

PLAN = load_shipped("phase4")


class Fault:
    """A limit that is beyond from `since` on, as the reports see it."""

    def __init__(self, name: str, since: float, **how: bool) -> None:
        self.name, self.since, self.how = name, since, how
        self.until = float("inf")

    def __call__(self, stage: Stage) -> Report:
        limits: dict[str, LimitCheck] = {}
        if self.since <= stage.now < self.until:
            limits[self.name] = breached(self.name, since=self.since, **self.how)
        return report(stage.plan, stage.now, limits=limits)


def at_deadline(plan: Plan, name: str, action: AtDeadline) -> Plan:
    triggers = (replace(each, at_deadline=action) if each.limit.name == name else each for each in plan.triggers)
    return replace(plan, triggers=tuple(triggers))


def at_50_percent(stage: Stage) -> None:
    while stage.rollout.step < 3:
        stage.tick()
        if stage.rollout.phase is Phase.PROGRESSING and stage.rollout.step < 3:
            order = stage.order("anna", "the test begins at 50 %")
            if stage.rollout.current_step.approvals and not stage.rollout.approvals and stage.report.at > T0 + 2:
                stage.approve_all()
            if stage.now - stage.rollout.step_started_at > 3:
                stage.apply(commands.advance(stage.rollout, order, stage.report))


def watching() -> Stage:
    stage = Stage(PLAN)
    at_50_percent(stage)
    stage.run(5)
    stage.approve_all()
    stage.apply(commands.promote(stage.rollout, stage.order("anna"), stage.report))
    assert stage.rollout.phase is Phase.WATCHING
    return stage


@pytest.mark.parametrize("name", ["error-rate", "p95", "availability"])
def test_a_proven_breach_rolls_back_on_the_tick_that_proves_it(name: str) -> None:
    stage = Stage(PLAN, look=Fault(name, T0 + 30, proven=True))
    stage.run_until(Phase.ROLLING_BACK, within=40)
    assert stage.now == T0 + 30
    assert stage.rollout.percentage == 0
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.proven
    assert stage.told(EventKind.ROLLBACK_STARTED)[0].channels == trigger(PLAN, name).channels


def test_a_rollback_is_told_to_whom_the_plan_tells_of_any_limit_that_is_breached() -> None:
    def look(stage: Stage) -> Report:
        limits = {"error-rate": breached("error-rate", since=T0), "availability": breached("availability", since=T0)}
        if stage.now >= T0 + 5:
            limits["availability"] = breached("availability", since=T0, proven=True)
        return report(stage.plan, stage.now, limits=limits)

    stage = Stage(PLAN, look=look)
    stage.run_until(Phase.ROLLING_BACK, within=20)
    started = stage.told(EventKind.ROLLBACK_STARTED)[0]
    assert started.details["cause"] == "availability"
    assert set(started.channels) == {"slack", "pagerduty"}


def worse_p95(*endpoints: str) -> Callable[[Stage], Report]:
    """The canary is proven slower than LEGACY, within every limit, and so are `endpoints` by themselves."""
    slower = check("p95", Metric.P95, Verdict.FAIL, since=T0 + 1)
    apart = tuple(replace(slower, endpoint=endpoint) for endpoint in endpoints)

    def look(stage: Stage) -> Report:
        return replace(report(stage.plan, stage.now, worse=(slower,)), endpoints=apart)

    return look


def test_a_rollback_says_which_endpoints_are_worse_by_themselves_the_clearest_first() -> None:
    stage = Stage(PLAN, look=worse_p95("/search", "/cart", "/pay", "/items"))
    stage.run_until(Phase.ROLLING_BACK, within=20)
    started = stage.told(EventKind.ROLLBACK_STARTED)[0]
    assert started.details["worse_on"] == ["/search", "/cart", "/pay"]
    assert render_event(started)[1].endswith("; worse by itself: /search, /cart, /pay")


def test_a_comparison_of_the_name_of_a_trigger_is_told_where_comparisons_are_from_its_begin_to_its_end() -> None:
    stage = Stage(PLAN, look=worse_p95())
    stage.run_until(Phase.ROLLED_BACK, within=20)
    started, completed = (stage.told(kind)[0] for kind in (EventKind.ROLLBACK_STARTED, EventKind.ROLLBACK_COMPLETED))
    assert started.details["cause"] == trigger(PLAN, "p95").limit.name
    assert started.channels == completed.channels == ()


@pytest.mark.parametrize(("name", "deadline"), [("error-rate", 60), ("p95", 300), ("availability", 900)])
def test_a_breach_that_is_only_observed_freezes_at_once_and_is_over_by_its_deadline(name: str, deadline: int) -> None:
    stage = Stage(PLAN, look=Fault(name, T0 + 30))
    stage.run(31)
    assert stage.rollout.frozen_by == name
    assert stage.told(EventKind.BREACH_OPENED)[0].channels == trigger(PLAN, name).channels
    stage.run_until(Phase.ROLLED_BACK, within=deadline)
    receipt = stage.rollout.receipt
    assert receipt is not None
    assert not receipt.proven
    assert receipt.deadline_at == T0 + 30 + deadline
    assert receipt.deadline_met is True
    assert receipt.completed_at is not None
    assert receipt.completed_at <= receipt.deadline_at
    assert stage.told(EventKind.DEADLINE_MISSED) == []


@settings(max_examples=25, deadline=None)
@given(
    deadline=st.floats(10, 120),
    begins_after=st.floats(3, 50),
    seen_late_by=st.floats(0, 0.5),
    lags=st.lists(st.floats(0, 1.9), min_size=1, max_size=4),
    tick_seconds=st.floats(0.3, 1.0),
)
def test_every_deadline_is_met_whatever_the_ticks_and_the_agents_delays(
    deadline: float, begins_after: float, seen_late_by: float, lags: list[float], tick_seconds: float
) -> None:
    since = T0 + begins_after
    late = seen_late_by * deadline
    triggers = (replace(trigger(PLAN, "p95"), deadline_seconds=deadline),)

    def look(stage: Stage) -> Report:
        limits = {"p95": breached("p95", since=since)} if stage.now >= since + late else {}
        return report(stage.plan, stage.now, limits=limits)

    agents = [Agent(str(i), lag=min(lag, deadline / 6)) for i, lag in enumerate(lags)]
    stage = Stage(replace(PLAN, triggers=triggers), look=look, agents=agents, tick_seconds=tick_seconds)
    stage.run_until(Phase.ROLLED_BACK, within=begins_after + deadline + 10)
    receipt = stage.rollout.receipt
    assert receipt is not None
    assert receipt.deadline_met is True
    assert stage.told(EventKind.DEADLINE_MISSED) == []


def test_too_little_evidence_at_the_deadline_does_not_roll_back_but_is_told() -> None:
    stage = Stage(PLAN, look=Fault("p95", T0 + 30, actionable=False))
    stage.run(1_000)
    assert stage.rollout.phase is Phase.PROGRESSING
    assert [event.reason for event in stage.told(EventKind.DEADLINE_MISSED)] == ["too_little_evidence"]


def test_a_plan_that_holds_at_the_deadline_stays_frozen_and_tells() -> None:
    stage = Stage(at_deadline(PLAN, "p95", AtDeadline.HOLD), look=Fault("p95", T0 + 30))
    stage.run(1_000)
    assert (stage.rollout.phase, stage.rollout.frozen_by) == (Phase.PROGRESSING, "p95")
    assert [event.reason for event in stage.told(EventKind.DEADLINE_MISSED)] == ["held_by_plan"]


def test_evidence_that_comes_after_the_deadline_rolls_back_and_the_receipt_says_that_it_was_late() -> None:
    fault = Fault("error-rate", T0 + 30, actionable=False)
    stage = Stage(PLAN, look=fault)
    stage.run(200)
    fault.how["actionable"] = True
    stage.run_until(Phase.ROLLED_BACK, within=10)
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.deadline_met is False
    assert len(stage.told(EventKind.DEADLINE_MISSED)) == 1


def test_a_breach_that_is_over_before_its_deadline_thaws_the_rollout() -> None:
    fault = Fault("p95", T0 + 30)
    fault.until = T0 + 200
    stage = Stage(PLAN, look=fault)
    stage.run(1_000)
    assert (stage.rollout.phase, stage.rollout.frozen_by, stage.rollout.breaches) == (Phase.PROGRESSING, None, ())
    opened, cleared = stage.told(EventKind.BREACH_OPENED)[0], stage.told(EventKind.BREACH_CLEARED)[0]
    assert opened.incident == cleared.incident


def test_figures_that_cannot_be_used_neither_clear_a_breach_nor_stop_its_deadline() -> None:
    def look(stage: Stage) -> Report:
        if stage.now < T0 + 30:
            return report(stage.plan, stage.now)
        limit = breached("p95", since=T0 + 30)
        if stage.now > T0 + 40:
            limit = LimitCheck(check("p95", Metric.P95, Verdict.ERROR))
        return report(stage.plan, stage.now, limits={"p95": limit})

    stage = Stage(PLAN, look=look)
    stage.run_until(Phase.ROLLED_BACK, within=330)


def test_a_canary_proven_worse_than_legacy_is_rolled_back_without_a_deadline() -> None:
    worse = check("error_rate", verdict=Verdict.FAIL, since=T0 + 20)

    def look(stage: Stage) -> Report:
        return report(stage.plan, stage.now, worse=(worse,) if stage.now > T0 + 50 else ())

    stage = Stage(PLAN, look=look)
    stage.run_until(Phase.ROLLED_BACK, within=60)
    receipt = stage.rollout.receipt
    assert receipt is not None
    assert (receipt.cause, receipt.breach_at, receipt.deadline_met) == ("error_rate", T0 + 20, None)


def test_a_canary_proven_worse_while_a_limit_is_breached_is_held_to_that_limits_deadline() -> None:
    worse = check("error_rate", verdict=Verdict.FAIL, since=T0 + 20)

    def look(stage: Stage) -> Report:
        limits = {"error-rate": breached("error-rate", since=T0 + 20)} if stage.now > T0 + 20 else {}
        return report(stage.plan, stage.now, limits=limits, worse=(worse,) if stage.now > T0 + 25 else ())

    stage = Stage(PLAN, look=look)
    stage.run_until(Phase.ROLLED_BACK, within=60)
    limit, receipt = trigger(PLAN, "error-rate"), stage.rollout.receipt
    assert receipt is not None
    assert (receipt.cause, receipt.severity) == ("error_rate", limit.severity)
    assert (receipt.deadline_at, receipt.deadline_met) == (T0 + 20 + limit.deadline_seconds, True)
    assert stage.told(EventKind.ROLLBACK_STARTED)[0].channels == limit.channels


@pytest.mark.parametrize(
    ("wish", "phase"), [(AtDeadline.ROLL_BACK, Phase.ROLLED_BACK), (AtDeadline.HOLD, Phase.PROGRESSING)]
)
def test_a_canary_that_answers_4xx_is_rolled_back_or_frozen_as_the_plan_wishes(wish: AtDeadline, phase: Phase) -> None:
    worse = check("client_errors", Metric.CLIENT_ERROR_RATE, Verdict.FAIL)
    stage = Stage(replace(PLAN, client_errors=wish), look=lambda stage: report(stage.plan, stage.now, worse=(worse,)))
    stage.run(30)
    assert stage.rollout.phase is phase
    assert stage.rollout.frozen_by == (None if phase is Phase.ROLLED_BACK else "client_errors")


def test_an_environment_incident_freezes_and_pages_but_does_not_roll_back() -> None:
    stage = Stage(PLAN, look=Fault("availability", T0 + 30, proven=True, environment=True))
    stage.run(3_000)
    assert (stage.rollout.phase, stage.rollout.frozen_by) == (Phase.PROGRESSING, "availability")
    assert len(stage.told(EventKind.ENVIRONMENT_INCIDENT)) == 1
    assert stage.told(EventKind.DEADLINE_MISSED) == []


def test_when_legacy_recovers_from_the_incident_and_the_canary_does_not_the_deadline_runs_from_there() -> None:
    fault = Fault("p95", T0 + 30, environment=True)
    stage = Stage(PLAN, look=fault)
    stage.run(1_000)
    fault.how["environment"] = False
    recovered_at = stage.now
    stage.run_until(Phase.ROLLED_BACK, within=300)
    assert stage.now > recovered_at + 250
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.deadline_met is True


def test_at_100_percent_there_is_no_legacy_to_blame() -> None:
    stage = watching()
    stage.look = Fault("p95", stage.now + 5, proven=True, environment=True)
    stage.run_until(Phase.ROLLED_BACK, within=20)


def test_a_breach_during_the_watch_rolls_back_from_100_percent() -> None:
    stage = watching()
    stage.look = Fault("availability", stage.now + 100)
    stage.run_until(Phase.ROLLED_BACK, within=1_000)
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.deadline_met is True


def test_triggers_stay_on_while_the_rollout_is_paused() -> None:
    stage = Stage(PLAN, look=Fault("error-rate", T0 + 100, proven=True))
    stage.run(10)
    stage.apply(commands.pause(stage.rollout, stage.order()))
    stage.run_until(Phase.ROLLED_BACK, within=120)


def test_the_most_urgent_of_two_proven_breaches_is_the_cause() -> None:
    def look(stage: Stage) -> Report:
        names = ("availability", "error-rate") if stage.now > T0 + 10 else ()
        return report(
            stage.plan, stage.now, limits={name: breached(name, since=T0 + 10, proven=True) for name in names}
        )

    stage = Stage(PLAN, look=look)
    stage.run_until(Phase.ROLLED_BACK, within=20)
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.cause == "error-rate"


def test_after_the_controller_was_away_a_breach_is_judged_before_an_advance() -> None:
    stage = Stage(PLAN, tick_seconds=60)
    stage.run(86_400 - 120)
    stage.approve_all()
    stage.now += 10_000
    stage.look = Fault("error-rate", stage.now - 5_000, proven=True)
    stage.tick()
    assert stage.rollout.phase is Phase.ROLLING_BACK
    assert stage.rollout.step == 0


def test_a_breach_first_seen_after_its_deadline_is_looked_at_before_it_rolls_back() -> None:
    fault = Fault("error-rate", T0 + 30)
    stage = Stage(PLAN, look=lambda stage: fault(stage) if stage.now > T0 + 200 else report(stage.plan, stage.now))
    stage.run(205)
    assert (stage.rollout.phase, stage.rollout.frozen_by) == (Phase.PROGRESSING, "error-rate")
    stage.run_until(Phase.ROLLED_BACK, within=15)
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.deadline_met is False
    assert len(stage.told(EventKind.DEADLINE_MISSED)) == 1


def test_a_breach_first_seen_after_its_deadline_and_gone_again_rolls_nothing_back() -> None:
    fault = Fault("error-rate", T0 + 30)
    fault.until = T0 + 206
    stage = Stage(PLAN, look=lambda stage: fault(stage) if stage.now > T0 + 200 else report(stage.plan, stage.now))
    stage.run(1_000)
    assert (stage.rollout.phase, stage.rollout.frozen_by) == (Phase.PROGRESSING, None)


def test_a_rollback_waits_for_the_agent_that_has_not_confirmed() -> None:
    agents = [Agent("quick"), Agent("slow", lag=40.0)]
    stage = Stage(PLAN, agents=agents)
    stage.run(60)
    stage.apply(commands.roll_back(stage.rollout, stage.order("olga", "odd answers")))
    stage.run(38)
    assert stage.rollout.phase is Phase.ROLLING_BACK
    stage.run(5)
    assert stage.rollout.phase is Phase.ROLLED_BACK
    receipt = stage.rollout.receipt
    assert receipt is not None
    assert (receipt.unheard, receipt.by, receipt.cause, receipt.reason) == ((), "olga", "manual", "odd answers")
    assert receipt.last_canary_at is not None
    assert receipt.decided_at < receipt.last_canary_at <= (receipt.split_changed_at or 0)


def test_an_agent_that_died_is_given_up_after_stale_after_and_named() -> None:
    agents = [Agent("lives"), Agent("dead")]
    stage = Stage(PLAN, agents=agents)
    stage.run(60)
    agents[1].alive = False
    stage.apply(commands.roll_back(stage.rollout, stage.order()))
    stage.run(64)
    assert stage.rollout.phase is Phase.ROLLING_BACK
    stage.run(3)
    assert stage.rollout.phase is Phase.ROLLED_BACK
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.unheard == ("dead",)


def test_an_agent_that_lives_and_never_confirms_keeps_the_rollback_open_and_the_missed_deadline_is_told_once() -> None:
    agents = [Agent("lives"), Agent("deaf")]
    stage = Stage(PLAN, agents=agents, look=Fault("error-rate", T0 + 30, proven=True))
    stage.run(29)
    agents[1].lag = float("inf")
    stage.run(500)
    assert stage.rollout.phase is Phase.ROLLING_BACK
    assert [event.reason for event in stage.told(EventKind.DEADLINE_MISSED)] == ["not_confirmed_in_time"]
    agents[1].lag = 0.0
    stage.run(2)
    assert stage.rollout.phase is Phase.ROLLED_BACK
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.deadline_met is False
    assert len(stage.told(EventKind.DEADLINE_MISSED)) == 1


def test_requests_in_flight_are_waited_for_and_those_that_stay_are_counted() -> None:
    agents = [Agent("a", in_flight=3)]
    stage = Stage(PLAN, agents=agents)
    stage.run(60)
    stage.apply(commands.roll_back(stage.rollout, stage.order()))
    stage.run(10)
    assert stage.rollout.phase is Phase.ROLLING_BACK
    stage.run_until(Phase.ROLLED_BACK, within=30)
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.in_flight == 3


def test_a_rollback_of_a_service_without_any_agent_left_ends_when_the_dead_mans_switch_must_have_acted() -> None:
    stage = Stage(PLAN)
    stage.run(60)
    stage.apply(commands.roll_back(stage.rollout, stage.order()))
    stage.agents = []
    stage.run(65)
    assert stage.rollout.phase is Phase.ROLLING_BACK
    stage.run(2)
    assert stage.rollout.phase is Phase.ROLLED_BACK


def test_alert_rules_are_raised_and_resolved_once_and_leave_the_traffic_alone() -> None:
    fault = Fault("error-rate-alert", T0 + 30)
    fault.until = T0 + 300
    stage = Stage(PLAN, look=fault)
    stage.run(1_000)
    raised, resolved = stage.told(EventKind.ALERT_RAISED), stage.told(EventKind.ALERT_RESOLVED)
    assert [event.at for event in raised] == [T0 + 30]
    assert [event.at for event in resolved] == [T0 + 300]
    assert raised[0].incident == resolved[0].incident
    assert raised[0].channels == ("slack",)
    assert (stage.rollout.phase, stage.rollout.frozen_by) == (Phase.PROGRESSING, None)


def test_an_alert_stays_one_incident_though_its_beginning_is_seen_differently_later() -> None:
    def look(stage: Stage) -> Report:
        since = max(T0, stage.now - 60)
        return report(stage.plan, stage.now, limits={"p95-alert": breached("p95-alert", since=since)})

    stage = Stage(PLAN, look=look)
    stage.run(600)
    assert len(stage.told(EventKind.ALERT_RAISED)) == 1


def test_a_breach_of_which_nobody_can_say_since_when_begins_when_it_is_seen() -> None:
    def look(stage: Stage) -> Report:
        limit = LimitCheck(check("p95", verdict=Verdict.INCONCLUSIVE), breached=True)
        return report(stage.plan, stage.now, limits={"p95": limit} if stage.now > T0 + 50 else {})

    stage = Stage(PLAN, look=look)
    stage.run(60)
    assert [breach.since_at for breach in stage.rollout.breaches] == [T0 + 51]


def test_a_deadline_that_passed_unseen_between_two_ticks_is_told_at_the_end() -> None:
    agents = [Agent("lives"), Agent("dead")]
    stage = Stage(PLAN, agents=agents, look=Fault("error-rate", T0 + 30, proven=True), tick_seconds=30.0)
    stage.run(30)
    agents[1].alive = False
    stage.run(90)
    assert stage.rollout.phase is Phase.ROLLED_BACK
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.deadline_met is False
    assert len(stage.told(EventKind.DEADLINE_MISSED)) == 1


def test_what_is_open_when_the_canary_is_gone_is_resolved() -> None:
    def look(stage: Stage) -> Report:
        names = ("error-rate", "error-rate-alert") if stage.now > T0 + 10 else ()
        return report(stage.plan, stage.now, limits={name: breached(name, since=T0 + 10) for name in names})

    stage = Stage(PLAN, look=look)
    stage.run_until(Phase.ROLLED_BACK, within=100)
    assert (stage.rollout.alerts, stage.rollout.breaches) == ((), ())
    opened = {
        event.incident for event in stage.events if event.kind in {EventKind.ALERT_RAISED, EventKind.BREACH_OPENED}
    }
    closed = {
        event.incident for event in stage.events if event.kind in {EventKind.ALERT_RESOLVED, EventKind.BREACH_CLEARED}
    }
    assert opened == closed
