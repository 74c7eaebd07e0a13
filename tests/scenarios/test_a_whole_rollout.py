"""The customer's rollout from 5 % to everybody, second by second where it matters."""

from dataclasses import replace
from itertools import pairwise

import pytest

from scenarios.stage import Stage, check, report
from serinus.analysis.verdict import Metric, Report, Verdict
from serinus.errors import Refused
from serinus.plans import load_shipped
from serinus.rollout import commands
from serinus.rollout.events import EventKind
from serinus.rollout.state import Phase

HOUR = 3_600.0
PHASE4 = load_shipped("phase4")
DEMO = load_shipped("demo")


def phase4() -> Stage:
    """Eight days in ticks of five minutes, with agents patient enough for that."""
    return Stage(PHASE4, tick_seconds=300.0, stale_after=600.0)


def test_a_healthy_canary_reaches_everybody_along_the_customers_plan() -> None:
    stage = phase4()
    shares = []
    entered_at = []
    for step in range(4):
        stage.run_until_step(step, within=80 * HOUR)
        shares.append(stage.rollout.percentage)
        entered_at.append(stage.now)
        if stage.rollout.current_step.approvals:
            stage.run(60)
            stage.approve_all()
    stage.run_until(Phase.SUCCEEDED, within=60 * HOUR)

    assert shares == [5, 10, 25, 50]
    stayed = [later - earlier for earlier, later in pairwise(entered_at)]
    assert [seconds / HOUR for seconds in stayed] == pytest.approx([24, 48, 72], abs=0.2)
    assert stage.phases == [Phase.PENDING, Phase.PROGRESSING, Phase.WATCHING, Phase.SUCCEEDED]
    assert stage.rollout.percentage == 100
    assert stage.told(EventKind.SUCCEEDED)[0].at - stage.told(EventKind.PROMOTED)[0].at >= 24 * HOUR


def test_checkpoints_are_told_once_each_in_every_step_with_the_figures() -> None:
    stage = phase4()
    stage.run_until_step(0, within=HOUR)
    begun = stage.now
    stage.run(25 * HOUR)

    told = [(event.details["checkpoint_seconds"], event.at - begun) for event in stage.told(EventKind.CHECKPOINT)]
    assert told == [(HOUR, HOUR), (6 * HOUR, 6 * HOUR), (24 * HOUR, 24 * HOUR)]
    canary = stage.told(EventKind.CHECKPOINT)[0].details["canary"]
    assert isinstance(canary, dict)
    assert canary["p95_ms"] == 900


def test_without_the_approvals_the_last_step_waits_and_asks_for_each_once() -> None:
    stage = Stage(DEMO)
    stage.run_until_step(1, within=60)
    stage.run(600)

    assert stage.rollout.phase is Phase.PROGRESSING
    assert [event.details["gate"] for event in stage.told(EventKind.GATE_WAITING)] == ["end-to-end-test", "management"]
    stage.approve_all()
    stage.tick()
    assert stage.rollout.phase is Phase.WATCHING


def test_no_traffic_is_given_out_before_an_agent_is_there() -> None:
    stage = Stage(DEMO, agents=[])
    stage.run(300)
    assert stage.rollout.phase is Phase.PENDING
    assert stage.rollout.percentage == 0


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR])
def test_nothing_but_a_pass_of_the_observed_criteria_advances(verdict: Verdict) -> None:
    stage = Stage(DEMO, look=lambda stage: report(stage.plan, stage.now, slo=verdict))
    stage.run(300)
    assert stage.rollout.step == 0


def test_observed_criteria_are_not_enough_where_the_plan_asks_for_proof() -> None:
    stage = Stage(DEMO, look=lambda stage: report(stage.plan, stage.now, proof=Verdict.INCONCLUSIVE))
    stage.run_until_step(1, within=60)
    stage.approve_all()
    stage.run(300)
    assert (stage.rollout.step, stage.rollout.phase) == (1, Phase.PROGRESSING)


def test_a_report_that_does_not_speak_of_a_criterion_is_no_pass() -> None:
    def without_volume(stage: Stage) -> Report:
        whole = report(stage.plan, stage.now)
        return type(whole)(
            whole.at, whole.through_at, whole.legacy, whole.canary, whole.slo[:2], whole.proof, (), whole.limits
        )

    stage = Stage(DEMO, look=without_volume)
    stage.run(300)
    assert stage.rollout.step == 0


def test_a_controller_that_was_away_does_not_count_the_time_as_bake_time() -> None:
    stage = phase4()
    stage.run_until_step(0, within=HOUR)
    stage.run(20 * HOUR)
    stage.approve_all()
    stage.now += 10 * HOUR
    stage.tick()
    assert stage.rollout.step == 0
    stage.run(3.9 * HOUR)
    assert stage.rollout.step == 0
    stage.run(0.2 * HOUR)
    assert stage.rollout.step == 1


def test_after_a_long_absence_one_step_is_taken_at_most_and_no_approval_is_skipped() -> None:
    stage = phase4()
    stage.run_until_step(0, within=HOUR)
    stage.now += 1_000 * HOUR
    stage.run(60)
    assert stage.rollout.step == 0
    stage.run(30 * HOUR)
    assert stage.rollout.step == 0  # the feedback of step 0 was never approved
    assert [event.details["gate"] for event in stage.told(EventKind.GATE_WAITING)] == ["user-feedback"]


def test_figures_that_stopped_coming_advance_nothing() -> None:
    def silent_since_start(stage: Stage) -> Report:
        whole = report(stage.plan, stage.now)
        return type(whole)(
            whole.at,
            stage.rollout.step_started_at + 5,
            whole.legacy,
            whole.canary,
            whole.slo,
            whole.proof,
            (),
            whole.limits,
        )

    stage = Stage(DEMO, look=silent_since_start)
    stage.run(600)
    assert stage.rollout.step == 0


def test_a_pause_stands_the_bake_clock_still_and_a_resume_goes_on_from_there() -> None:
    stage = Stage(DEMO)
    stage.run_until_step(0, within=10)
    stage.run(10)
    stage.apply(commands.pause(stage.rollout, stage.order(reason="lunch")))
    stage.run(1_000)
    assert (stage.rollout.phase, stage.rollout.percentage) == (Phase.PAUSED, 20)
    stage.apply(commands.resume(stage.rollout, stage.order()))
    stage.run(4)
    assert stage.rollout.step == 0
    stage.run(2)
    assert stage.rollout.step == 1


def test_an_hour_without_figures_is_no_bake_time_though_a_pause_ends_it() -> None:
    stopped_at: list[float] = []

    def look(stage: Stage) -> Report:
        whole = report(stage.plan, stage.now)
        return replace(whole, through_at=stopped_at[0]) if stopped_at else whole

    stage = Stage(replace(DEMO, steps=(replace(DEMO.steps[0], bake_seconds=60), DEMO.steps[1])), look=look)
    stage.run_until_step(0, within=10)
    stage.run(20)
    stopped_at.append(stage.now)
    stage.run(HOUR)
    stage.apply(commands.pause(stage.rollout, stage.order(reason="who counts?")))
    stopped_at.clear()
    stage.run(10)
    stage.apply(commands.resume(stage.rollout, stage.order()))
    stage.run(25)
    assert stage.rollout.step == 0
    stage.run(25)
    assert stage.rollout.step == 1


def test_after_a_smaller_share_the_step_is_served_anew() -> None:
    stage = Stage(DEMO)
    stage.run_until_step(0, within=10)
    stage.run(14)
    stage.apply(commands.configure(stage.rollout, stage.order(), percentage=2.5))
    assert (stage.rollout.phase, stage.rollout.percentage) == (Phase.PAUSED, 2.5)
    stage.apply(commands.resume(stage.rollout, stage.order()))
    assert stage.rollout.percentage == 20
    stage.run(14)
    assert stage.rollout.step == 0
    stage.run(2)
    assert stage.rollout.step == 1


def test_a_plan_that_ends_in_hold_rests_at_its_last_share_with_triggers_on_until_somebody_promotes() -> None:
    held = type(DEMO)(
        "held", DEMO.steps, DEMO.margins, DEMO.triggers, final=type(DEMO.final).HOLD, watch_seconds=10, salt="h"
    )
    stage = Stage(held)
    stage.run_until(Phase.HOLDING, within=120)
    stage.run(5_000)
    assert (stage.rollout.phase, stage.rollout.percentage) == (Phase.HOLDING, 50)
    with pytest.raises(Refused, match="end-to-end-test"):
        commands.promote(stage.rollout, stage.order(), stage.report)
    stage.approve_all()
    stage.apply(commands.promote(stage.rollout, stage.order(), stage.report))
    stage.run_until(Phase.SUCCEEDED, within=20)


def test_a_hold_freezes_and_the_bake_time_begins_anew_when_it_is_over() -> None:
    suspicious = check("client_errors", Metric.CLIENT_ERROR_RATE, Verdict.FAIL)
    trouble = {"until": 0.0}

    def look(stage: Stage) -> Report:
        holds = (suspicious,) if stage.now < trouble["until"] else ()
        return report(stage.plan, stage.now, holds=holds)

    stage = Stage(DEMO, look=look)
    stage.run_until_step(0, within=10)
    stage.run(10)
    trouble["until"] = stage.now + 100
    stage.run(100)
    assert stage.rollout.step == 0
    stage.run(14)
    assert stage.rollout.step == 0
    stage.run(2)
    assert stage.rollout.step == 1
    assert stage.kinds().count(EventKind.FROZEN) == stage.kinds().count(EventKind.THAWED) == 1


def test_an_open_breaker_freezes_the_rollout() -> None:
    stage = Stage(DEMO)
    stage.run_until_step(0, within=10)
    stage.agents[1].breaker_open = True
    stage.run(100)
    assert (stage.rollout.step, stage.rollout.frozen_by) == (0, "breaker")
    stage.agents[1].breaker_open = False
    stage.run(20)
    assert stage.rollout.step == 1


def test_an_approval_lapses_with_time_and_is_asked_for_again() -> None:
    unproven = {"proof": Verdict.INCONCLUSIVE}
    stage = Stage(DEMO, look=lambda stage: report(stage.plan, stage.now, proof=unproven["proof"]))
    stage.run_until_step(1, within=60)
    stage.run(5)
    stage.approve_all()
    stage.run(700)
    unproven["proof"] = Verdict.PASS
    stage.run(60)
    assert stage.rollout.phase is Phase.PROGRESSING
    assert stage.kinds().count(EventKind.APPROVAL_EXPIRED) == 2
    stage.approve_all()
    stage.tick()
    assert stage.rollout.phase is Phase.WATCHING


def test_an_approval_given_before_a_freeze_does_not_survive_it() -> None:
    seen = {"holds": ()}
    stage = Stage(
        DEMO, look=lambda stage: report(stage.plan, stage.now, proof=Verdict.INCONCLUSIVE, holds=seen["holds"])
    )
    stage.run_until_step(1, within=60)
    stage.run(2)
    stage.approve_all()
    seen["holds"] = (check("client_errors", Metric.CLIENT_ERROR_RATE, Verdict.FAIL),)
    stage.tick()
    assert stage.rollout.approvals == ()
    with pytest.raises(Refused, match="frozen"):
        stage.approve_all()


def test_hold_during_the_watch_takes_the_promotion_back() -> None:
    stage = Stage(DEMO)
    stage.run_until_step(1, within=60)
    stage.approve_all()
    stage.run_until(Phase.WATCHING, within=60)
    stage.apply(commands.hold(stage.rollout, stage.order()))
    assert (stage.rollout.percentage, stage.rollout.promoted_at, stage.rollout.approvals) == (50, None, ())
