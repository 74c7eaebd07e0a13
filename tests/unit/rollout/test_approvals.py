"""Approvals: what must be handed in, who may give them, and what becomes of them with time."""

from dataclasses import replace

import pytest

from scenarios.stage import Stage
from serinus.errors import InvalidInput, Refused
from serinus.plans import load_shipped
from serinus.rollout import commands
from serinus.rollout.approval import Attachment, HandedIn
from serinus.rollout.events import EventKind
from serinus.rollout.plan import ApprovalGate, OnExpiry
from serinus.rollout.plan_file import parse_plan, plan_from_mapping
from serinus.rollout.plan_mapping import plan_to_mapping
from serinus.rollout.state import Phase

PLAN = load_shipped("phase4")
MANUAL = ApprovalGate("manual", checklist=("user flows", "edge cases"))
BOSS = ApprovalGate("boss", attachment="metrics report", business_impact=True, four_eyes=True)
REPORT = Attachment("comparison.html", "ab" * 32)
GOOD = HandedIn(attachment=REPORT, business_impact="two more sales a day")


def at_gate(*gates: ApprovalGate) -> Stage:
    """A rollout at the first step, which asks for these approvals."""
    stage = Stage(replace(PLAN, steps=(replace(PLAN.steps[0], approvals=gates), *PLAN.steps[1:])))
    stage.run_until(Phase.PROGRESSING, within=10)
    return stage


def give(stage: Stage, gate: str, handed_in: HandedIn, by: str = "olga") -> None:
    decision = commands.approve(
        stage.rollout, stage.order(by), gate=gate, step=0, report_at=stage.now, handed_in=handed_in
    )
    stage.apply(decision)


def test_every_item_of_the_checklist_has_to_be_ticked() -> None:
    stage = at_gate(MANUAL)
    with pytest.raises(Refused, match="tick 'edge cases'"):
        give(stage, "manual", HandedIn(("user flows",)))
    with pytest.raises(Refused, match="there is no item 'browsers'"):
        give(stage, "manual", HandedIn(("user flows", "edge cases", "browsers")))
    give(stage, "manual", HandedIn(("edge cases", "user flows")))
    assert stage.rollout.approvals[0].handed_in.checked == ("edge cases", "user flows")


def test_a_gate_names_all_that_is_missing_at_once() -> None:
    stage = at_gate(BOSS)
    with pytest.raises(Refused, match="attach the metrics report; say what the business impact is"):
        give(stage, "boss", HandedIn(business_impact="  "))


def test_what_was_handed_in_stands_in_the_event() -> None:
    stage = at_gate(BOSS)
    give(stage, "boss", GOOD)
    [event] = [event for event in stage.events if event.kind is EventKind.APPROVED]
    assert event.details["attachment"] == {"name": "comparison.html", "digest": "ab" * 32}
    assert event.details["business_impact"] == "two more sales a day"


def test_four_eyes_are_two_people() -> None:
    stage = at_gate(BOSS)
    with pytest.raises(Refused, match="somebody else has to approve"):
        give(stage, "boss", GOOD, by=stage.rollout.started_by)
    give(stage, "boss", GOOD)
    assert [approval.by for approval in stage.rollout.approvals] == ["olga"]


def test_people_are_told_once_before_an_approval_expires_and_again_when_it_has() -> None:
    stage = at_gate(replace(MANUAL, expires_after_seconds=400), ApprovalGate("never-given"))
    give(stage, "manual", HandedIn(MANUAL.checklist))
    given_at = stage.now
    stage.run(290)
    assert EventKind.APPROVAL_EXPIRING not in stage.kinds()
    stage.run(60)
    [event] = [event for event in stage.events if event.kind is EventKind.APPROVAL_EXPIRING]
    assert event.details["expires_at"] == given_at + 400
    assert stage.rollout.approvals
    stage.run(60)
    assert stage.kinds().count(EventKind.APPROVAL_EXPIRING) == 1
    assert stage.kinds().count(EventKind.APPROVAL_EXPIRED) == 1
    assert not stage.rollout.approvals
    assert stage.rollout.phase is Phase.PROGRESSING


def test_an_approval_that_expires_takes_the_canary_back_where_the_plan_says_so() -> None:
    gate = replace(MANUAL, expires_after_seconds=400, on_expiry=OnExpiry.ABORT)
    stage = at_gate(gate, ApprovalGate("never-given"))
    give(stage, "manual", HandedIn(MANUAL.checklist))
    stage.run(395)
    assert stage.rollout.phase is Phase.PROGRESSING
    stage.run(10)
    receipt = stage.rollout.receipt
    assert receipt is not None
    assert (receipt.cause, receipt.reason) == ("manual", "approval_expired")
    assert stage.rollout.percentage == 0


def test_the_customers_plan_asks_for_the_two_approvals_of_the_brief() -> None:
    manual, management = load_shipped("phase4").steps[-1].approvals
    assert (manual.name, manual.checklist) == (
        "end-to-end-test",
        ("real user flows", "edge cases", "several browsers"),
    )
    assert (management.attachment, management.business_impact) == ("metrics report", True)


def test_approvals_survive_being_written_as_a_mapping() -> None:
    plan = load_shipped("phase4")
    assert plan_from_mapping(plan_to_mapping(plan)) == plan


def test_what_is_wrong_with_an_approval_is_told_with_its_line() -> None:
    text = """
[[steps]]
percentage = 5
bake = "1h"

[[steps.approvals]]
name = "boss"
on_expiry = "abort"
four_eyes = "yes"
checklist = ["a", "", "a"]
"""
    with pytest.raises(InvalidInput) as refused:
        parse_plan(text)
    found = {(problem.where, problem.line) for problem in refused.value.problems}
    assert ("steps[0].approvals[0].on_expiry", 8) in found
    assert ("steps[0].approvals[0].four_eyes", 9) in found
    assert ("steps[0].approvals[0].checklist[1]", 10) in found
    assert ("steps[0].approvals[0].checklist[2]", 10) in found
