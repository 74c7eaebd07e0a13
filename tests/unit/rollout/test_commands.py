"""Orders of people: what they do, and what they are refused, with a word on what to do instead."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from scenarios.stage import T0, Stage, breached, check, report
from serinus.analysis.verdict import Metric, Report, Verdict
from serinus.errors import InvalidInput, Refused
from serinus.plans import load_shipped
from serinus.rollout import commands
from serinus.rollout.commands import Order
from serinus.rollout.events import EventKind
from serinus.rollout.state import Phase
from serinus.routing.split import EndpointRule

DEMO = load_shipped("demo")
OFF = (EndpointRule("/api/v2/recommend/compare", enabled=False),)


def at(step: int, look: Callable[[Stage], Report] | None = None) -> Stage:
    stage = Stage(DEMO) if look is None else Stage(DEMO, look=look)
    stage.run_until_step(step, within=100)
    stage.run(2)
    return stage


def watching() -> Stage:
    stage = at(1)
    stage.approve_all()
    stage.run_until(Phase.WATCHING, within=60)
    return stage


def rolled_back() -> Stage:
    stage = at(0)
    stage.apply(commands.roll_back(stage.rollout, stage.order()))
    stage.run_until(Phase.ROLLED_BACK, within=20)
    return stage


def restart(stage: Stage, order: Order, *, force: bool = False) -> None:
    commands.start(DEMO, order, id="r2", previous=stage.rollout, split_revision=50, force=force)


def test_a_start_gives_out_no_traffic_and_a_split_that_is_later_than_the_one_in_force() -> None:
    decision = commands.start(DEMO, Order("olga", T0), id="r", previous=None, split_revision=41)
    assert (decision.rollout.phase, decision.rollout.percentage) == (Phase.PENDING, 0)
    assert (decision.rollout.split.revision, decision.rollout.split.salt) == (42, "demo")
    assert [event.kind for event in decision.events] == [EventKind.STARTED]


def test_a_start_takes_the_operators_endpoint_rules_in_place_of_the_plans() -> None:
    plan = replace(DEMO, endpoints=(EndpointRule("*", enabled=False),))
    order = Order("olga", T0)
    kept = commands.start(plan, order, id="r", previous=None, split_revision=0)
    assert kept.rollout.split.endpoints == plan.endpoints
    given = commands.start(plan, order, id="r", previous=None, split_revision=0, endpoints=OFF)
    assert given.rollout.split.endpoints == OFF


def test_a_start_with_endpoint_rules_that_nobody_could_route_by_is_invalid() -> None:
    twice = (EndpointRule("/x"), EndpointRule("/x/", enabled=False))
    with pytest.raises(InvalidInput, match="has a rule already"):
        commands.start(DEMO, Order("olga", T0), id="r", previous=None, split_revision=0, endpoints=twice)


def test_a_second_rollout_is_refused_while_one_is_active() -> None:
    stage = at(0)
    with pytest.raises(Refused, match="r1 is progressing"):
        restart(stage, stage.order())


def test_a_start_during_the_cool_down_is_refused_unless_forced_with_a_reason() -> None:
    stage = rolled_back()
    with pytest.raises(Refused, match="wait another 30s, "):
        restart(stage, stage.order())
    with pytest.raises(Refused, match="needs a reason"):
        restart(stage, stage.order(), force=True)
    restart(stage, stage.order(reason="the cause was found"), force=True)
    stage.now += DEMO.cool_down_seconds
    restart(stage, stage.order())


def test_a_long_cool_down_is_told_in_minutes() -> None:
    plan = load_shipped("phase4")
    ended = replace(rolled_back().rollout, plan=plan)
    assert ended.finished_at is not None
    with pytest.raises(Refused, match="wait another 29m, "):
        commands.start(plan, Order("olga", ended.finished_at + 90), id="r2", previous=ended, split_revision=50)


def test_after_a_success_a_start_needs_no_cool_down() -> None:
    stage = watching()
    stage.run_until(Phase.SUCCEEDED, within=60)
    restart(stage, stage.order())


def test_an_approval_must_name_the_gate_the_step_and_a_recent_report_of_it() -> None:
    stage = at(1)

    def approve(gate: str = "management", step: int = 1, report_at: float | None = stage.now) -> None:
        commands.approve(stage.rollout, stage.order(), gate=gate, step=step, report_at=report_at)

    with pytest.raises(Refused, match="has no approval 'manager'; it asks for: end-to-end-test, management"):
        approve(gate="manager")
    with pytest.raises(Refused, match="at step 1, not 0"):
        approve(step=0)
    with pytest.raises(Refused, match="names the report"):
        approve(report_at=None)
    with pytest.raises(Refused, match="from before this share"):
        approve(report_at=stage.rollout.step_started_at - 1)
    with pytest.raises(Refused, match="not a recent one"):
        approve(report_at=stage.now - 901)
    with pytest.raises(Refused, match="not a recent one"):
        approve(report_at=stage.now + 60)
    approve()


def test_an_approval_is_given_once_and_carries_who_saw_what() -> None:
    stage = at(1)
    order = stage.order("maria", "the figures convince me")
    stage.apply(commands.approve(stage.rollout, order, gate="management", step=1, report_at=stage.now - 1))
    given = stage.rollout.approvals[0]
    assert (given.gate, given.step, given.by, given.report_at) == ("management", 1, "maria", stage.now - 1)
    with pytest.raises(Refused, match="already been approved by maria"):
        commands.approve(stage.rollout, stage.order("olga"), gate="management", step=1, report_at=stage.now)


def test_approvals_of_one_step_do_not_open_the_next() -> None:
    steps = (replace(DEMO.steps[1], percentage=10), DEMO.steps[1])
    stage = Stage(replace(DEMO, steps=steps))
    stage.run_until_step(0, within=5)
    stage.run(2)
    stage.approve_all()
    stage.run_until_step(1, within=60)
    stage.run(100)
    assert (stage.rollout.step, stage.rollout.approvals) == (1, ())


def test_advance_skips_the_rest_of_the_bake() -> None:
    stage = at(0)
    stage.apply(commands.advance(stage.rollout, stage.order(), stage.report))
    assert (stage.rollout.step, stage.rollout.percentage) == (1, 50)
    assert [event.actor for event in stage.told(EventKind.ADVANCED)] == ["olga"]


def test_advance_over_an_inconclusive_analysis_needs_a_reason() -> None:
    stage = at(0, lambda stage: report(stage.plan, stage.now, slo=Verdict.INCONCLUSIVE))
    with pytest.raises(Refused, match="give a reason to advance although error_rate is inconclusive"):
        commands.advance(stage.rollout, stage.order(reason=" "), stage.report)
    stage.apply(commands.advance(stage.rollout, stage.order(reason="night traffic is too thin"), stage.report))
    assert stage.rollout.step == 1


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR])
def test_nobody_advances_over_a_fail_or_an_error(verdict: Verdict) -> None:
    stage = at(0, lambda stage: report(stage.plan, stage.now, slo=verdict))
    with pytest.raises(Refused, match=f"cannot advance: error_rate is {verdict}"):
        commands.advance(stage.rollout, stage.order(reason="I insist"), stage.report)


def test_nobody_advances_over_a_breach_that_the_state_has_not_been_told_of_yet() -> None:
    stage = at(0)
    seen = report(DEMO, stage.now, limits={"p95": breached("p95", since=stage.now)})
    with pytest.raises(Refused, match="calm is fail"):
        commands.advance(stage.rollout, stage.order(reason="I insist"), seen)


def test_nobody_advances_on_an_old_report() -> None:
    stage = at(0)
    seen = stage.report
    stage.now += 60
    with pytest.raises(Refused, match="observation is error"):
        commands.advance(stage.rollout, stage.order(reason="I insist"), seen)


def test_nobody_advances_on_figures_from_before_this_share() -> None:
    stage = Stage(replace(DEMO, steps=(replace(DEMO.steps[0], percentage=5), *DEMO.steps)))
    stage.run_until_step(1, within=100)
    with pytest.raises(Refused, match="observation is inconclusive"):
        commands.advance(stage.rollout, stage.order(reason="I insist"), stage.report)
    stage.run(3)
    stage.apply(commands.advance(stage.rollout, stage.order(reason="I insist"), stage.report))


def test_the_last_step_is_left_by_promote_and_only_the_last() -> None:
    first, last = at(0), at(1)
    with pytest.raises(Refused, match="promote"):
        commands.advance(last.rollout, last.order(), last.report)
    with pytest.raises(Refused, match="step 1 of 2"):
        commands.promote(first.rollout, first.order(), first.report)


def test_promote_skips_the_bake_and_nothing_else() -> None:
    stage = at(1)
    with pytest.raises(Refused, match="end-to-end-test is inconclusive"):
        commands.promote(stage.rollout, stage.order(reason="I insist"), stage.report)
    stage.approve_all()
    unproven = report(DEMO, stage.now, proof=Verdict.INCONCLUSIVE)
    with pytest.raises(Refused, match="proof:error_rate is inconclusive"):
        commands.promote(stage.rollout, stage.order(reason="I insist"), unproven)
    stage.apply(commands.promote(stage.rollout, stage.order(), stage.report))
    assert (stage.rollout.phase, stage.rollout.percentage, stage.rollout.promoted_at) == (
        Phase.WATCHING,
        100,
        stage.now,
    )


@pytest.mark.parametrize("where", ["pending", "progressing", "paused", "holding", "watching"])
def test_abort_wins_in_every_phase(where: str) -> None:
    stages: dict[str, Callable[[], Stage]] = {
        "pending": lambda: Stage(DEMO),
        "progressing": lambda: at(0),
        "paused": lambda: at(0),
        "holding": lambda: at(1),
        "watching": watching,
    }
    stage = stages[where]()
    if where == "paused":
        stage.apply(commands.pause(stage.rollout, stage.order()))
    if where == "holding":
        stage.apply(commands.hold(stage.rollout, stage.order()))
    assert stage.rollout.phase == where
    stage.apply(commands.abort(stage.rollout, stage.order("olga", "enough")))
    assert (stage.rollout.phase, stage.rollout.percentage) == (Phase.ROLLING_BACK, 0)
    stage.run_until(Phase.ROLLED_BACK, within=20)


def test_an_abort_between_the_last_approval_and_the_promotion_wins() -> None:
    stage = at(1)
    stage.run(30)
    stage.approve_all()
    stage.apply(commands.abort(stage.rollout, stage.order()))
    stage.run_until(Phase.ROLLED_BACK, within=20)
    assert stage.told(EventKind.PROMOTED) == []


def test_rolling_back_twice_is_one_rollback_and_of_a_finished_rollout_it_is_refused() -> None:
    stage = at(0)
    stage.apply(commands.roll_back(stage.rollout, stage.order()))
    assert commands.roll_back(stage.rollout, stage.order()).rollout is stage.rollout
    stage.run_until(Phase.ROLLED_BACK, within=20)
    with pytest.raises(Refused, match="through the configuration"):
        commands.roll_back(stage.rollout, stage.order())


@pytest.mark.parametrize("setting", [{"percentage": 0.0}, {"enabled": False}, {"percentage": 0.0, "enabled": True}])
def test_the_customers_zero_percent_is_a_rollback(setting: dict[str, float | bool]) -> None:
    stage = at(0)
    stage.apply(commands.configure(stage.rollout, stage.order("curl"), **setting))  # type: ignore[arg-type]  # a table
    stage.run_until(Phase.ROLLED_BACK, within=20)
    assert stage.rollout.receipt is not None
    assert stage.rollout.receipt.by == "curl"


def test_a_smaller_share_pauses_and_caps_and_a_raise_is_refused() -> None:
    stage = at(1)
    stage.apply(commands.configure(stage.rollout, stage.order(), percentage=30))
    assert (stage.rollout.phase, stage.rollout.percentage) == (Phase.PAUSED, 30)
    stage.apply(commands.configure(stage.rollout, stage.order(), percentage=12.5))
    assert stage.rollout.percentage == 12.5
    with pytest.raises(Refused, match="advance"):
        commands.configure(stage.rollout, stage.order(), percentage=12.6)
    stage.run(200)
    assert stage.rollout.percentage == 12.5


def test_the_same_share_changes_nothing() -> None:
    stage = at(1)
    assert commands.configure(stage.rollout, stage.order(), percentage=50, enabled=True).rollout is stage.rollout


def test_a_smaller_share_during_the_watch_takes_the_promotion_back() -> None:
    stage = watching()
    stage.apply(commands.configure(stage.rollout, stage.order(), percentage=70))
    assert (stage.rollout.phase, stage.rollout.percentage, stage.rollout.promoted_at) == (Phase.PAUSED, 50, None)
    stage.apply(commands.resume(stage.rollout, stage.order()))
    assert (stage.rollout.phase, stage.rollout.approvals) == (Phase.PROGRESSING, ())


def test_endpoint_rules_are_replaced_and_the_step_begins_anew() -> None:
    stage = at(1)
    stage.approve_all()
    stage.apply(commands.configure(stage.rollout, stage.order(), endpoints=OFF))
    assert stage.rollout.split.endpoints == OFF
    assert (stage.rollout.step_started_at, stage.rollout.approvals) == (stage.now, ())
    assert stage.told(EventKind.CONFIG_CHANGED)[0].actor == "olga"


@pytest.mark.parametrize("percentage", [-1.0, 100.5, float("nan"), float("inf")])
def test_a_share_that_is_none_is_invalid_and_changes_nothing(percentage: float) -> None:
    stage = at(0)
    with pytest.raises(InvalidInput, match="between 0 and 100"):
        commands.configure(stage.rollout, stage.order(), percentage=percentage)


def test_pause_resume_and_hold_say_when_they_are_possible() -> None:
    stage = at(0)
    with pytest.raises(Refused, match="possible when it is paused"):
        commands.resume(stage.rollout, stage.order())
    with pytest.raises(Refused, match="pause"):
        commands.hold(stage.rollout, stage.order())
    with pytest.raises(Refused, match="only lower"):
        commands.pause(stage.rollout, stage.order(), 20)
    stage.apply(commands.pause(stage.rollout, stage.order()))
    with pytest.raises(Refused, match="paused already"):
        commands.pause(stage.rollout, stage.order())


def test_a_pause_from_a_hold_resumes_into_the_hold() -> None:
    stage = at(1)
    stage.apply(commands.hold(stage.rollout, stage.order()))
    stage.apply(commands.pause(stage.rollout, stage.order(), 10))
    stage.apply(commands.resume(stage.rollout, stage.order()))
    assert (stage.rollout.phase, stage.rollout.percentage) == (Phase.HOLDING, 50)


def test_during_the_watch_a_pause_is_refused_with_what_to_do_instead() -> None:
    stage = watching()
    with pytest.raises(Refused, match="hold goes back"):
        commands.pause(stage.rollout, stage.order())


def test_a_frozen_rollout_takes_no_approval() -> None:
    suspicious = check("client_errors", Metric.CLIENT_ERROR_RATE, Verdict.FAIL)
    stage = at(1)
    stage.look = lambda stage: report(stage.plan, stage.now, holds=(suspicious,))
    stage.tick()
    with pytest.raises(Refused, match="frozen by client_errors"):
        stage.approve_all()
