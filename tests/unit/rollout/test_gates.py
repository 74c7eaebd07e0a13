"""Gates as values: what status and console show of what stands in the way."""

from dataclasses import replace

import pytest

from scenarios.stage import Stage, breached, check, report
from serinus.analysis.verdict import Verdict
from serinus.plans import load_shipped
from serinus.rollout import commands
from serinus.rollout.gates import GateKind, GateReason, GateStatus, gates
from serinus.rollout.state import Phase

DEMO = load_shipped("demo")


def at(step: int) -> Stage:
    stage = Stage(DEMO)
    stage.run_until_step(step, within=100)
    stage.run(5)
    return stage


def named(stage: Stage, **seen: object) -> dict[str, GateStatus]:
    found = gates(stage.rollout, report(stage.plan, stage.now, **seen), stage.now)  # type: ignore[arg-type]  # a table
    return {status.name: status for status in found}


def test_a_healthy_step_waits_for_its_bake_time_alone_and_says_until_when() -> None:
    stage = at(0)
    statuses = named(stage)
    assert [name for name, status in statuses.items() if not status.is_open] == ["bake"]
    bake = statuses["bake"]
    assert (bake.verdict, bake.reason, bake.value, bake.need) == (Verdict.INCONCLUSIVE, GateReason.BAKING, 4.0, 15.0)
    assert bake.opens_at == stage.now + 11


def test_the_last_step_asks_for_the_proof_and_for_each_approval() -> None:
    stage = at(1)
    assert list(named(stage)) == [
        *("bake", "observation", "calm", "error_rate", "p95", "volume", "proof:error_rate", "proof:p95"),
        *("end-to-end-test", "management"),
    ]
    stage.approve_all()
    assert named(stage)["management"].reason == GateReason.APPROVED


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR])
def test_a_test_for_harm_closes_the_way_by_finding_it_or_by_not_being_able_to_look(verdict: Verdict) -> None:
    stage = at(0)
    worse = (check("error_rate", verdict=verdict),)
    assert named(stage, worse=worse)["worse:error_rate"].verdict is verdict
    limit = replace(breached("p95", since=stage.now), breached=False, check=check("p95", verdict=verdict))
    assert named(stage, limits={"p95": limit})["limit:p95"].verdict is verdict


def test_a_limit_that_the_report_does_not_speak_of_is_an_error() -> None:
    stage = at(0)
    seen = replace(report(stage.plan, stage.now), limits={})
    statuses = {status.name: status for status in gates(stage.rollout, seen, stage.now)}
    assert statuses["limit:error-rate"].reason == GateReason.NOT_MEASURED


def test_a_report_without_any_slice_is_unobserved() -> None:
    stage = at(0)
    seen = replace(report(stage.plan, stage.now), through_at=None)
    just_begun, later = (
        {status.kind: status for status in gates(stage.rollout, seen, stage.now + seconds)} for seconds in (0, 11)
    )
    assert just_begun[GateKind.OBSERVATION].verdict is Verdict.INCONCLUSIVE
    assert later[GateKind.OBSERVATION].verdict is Verdict.ERROR
    assert later[GateKind.BAKE].value == 0


def test_the_watch_is_not_over_while_the_canary_has_no_traffic() -> None:
    stage = at(1)
    stage.approve_all()
    stage.run_until(Phase.WATCHING, within=60)
    seen = report(stage.plan, stage.now)
    idle = replace(seen, canary=replace(seen.canary, valid=0))
    statuses = {status.name: status for status in gates(stage.rollout, idle, stage.now)}
    assert statuses["traffic"].reason == GateReason.NO_CANARY_TRAFFIC
    stage.look = lambda stage: replace(report(stage.plan, stage.now), canary=idle.canary)
    stage.run(100)
    assert stage.rollout.phase is Phase.WATCHING


def test_a_pause_shows_the_bake_time_that_was_served_before_it() -> None:
    stage = at(0)
    stage.apply(commands.pause(stage.rollout, stage.order()))
    stage.run(100)
    assert named(stage)["bake"].value == pytest.approx(5.0)


def test_while_frozen_no_bake_time_is_served() -> None:
    stage = at(0)
    seen = report(stage.plan, stage.now, holds=(check("client_errors", verdict=Verdict.FAIL),))
    stage.look = lambda stage: replace(seen, at=stage.now, through_at=stage.now - 1)
    stage.tick()
    statuses = named(stage)
    assert (statuses["bake"].value, statuses["calm"].verdict) == (0, Verdict.FAIL)


def test_a_finished_rollout_has_no_gates() -> None:
    stage = at(0)
    stage.apply(commands.roll_back(stage.rollout, stage.order()))
    stage.run(20)
    assert named(stage) == {}
