"""What a drill measures, and when it counts as passed."""

import asyncio
from dataclasses import replace

import pytest

from serinus.asgi.protocol import Message
from serinus.drill.faults import DrillOutage, Fault, Faulty, stand_in
from serinus.drill.private_copy import no_body, scope_of, shortened
from serinus.drill.receipt import ALERT_SECONDS, Answers, Drill, DrillReceipt, DrillScope
from serinus.plans import load_shipped

PLAN = load_shipped("phase4")
GOOD = DrillReceipt(
    trigger="error-rate",
    cause="error-rate",
    deadline_seconds=60.0,
    fault_at=100.0,
    seen_at=103.0,
    decided_at=104.0,
    split_changed_at=106.0,
    last_canary_at=105.0,
    alerted_at=105.0,
    recovered_at=105.5,
)


def test_a_drill_is_passed_when_everything_came_in_time() -> None:
    assert GOOD.passed
    assert GOOD.deadlines["last_canary"] == (5.0, 60.0)
    assert GOOD.deadlines["alerted"] == (5.0, 4.0 + ALERT_SECONDS)


@pytest.mark.parametrize(
    ("name", "at"),
    [("last_canary", 161.0), ("last_canary", None), ("alerted", None), ("recovered", None), ("seen", 170.0)],
)
def test_what_is_late_or_never_happens_fails_it_by_name(name: str, at: float | None) -> None:
    receipt = replace(GOOD, **{f"{name}_at": at})
    assert receipt.missed == (name,)
    assert receipt.details()["passed"] is False


def test_users_are_well_again_with_the_first_good_answer_of_legacy_after_the_last_bad_one() -> None:
    answers = Answers(
        [(1.0, 1.1, False, True), (2.0, 2.5, True, False), (2.1, 2.2, False, True), (3.0, 3.2, False, True)]
    )
    assert answers.recovered_at(2.0) == 2.2
    answers.all.append((4.0, 4.1, True, True))
    assert answers.recovered_at(2.0) is None


@pytest.mark.parametrize(
    ("fault", "trigger"), [(Fault.ERRORS, "error-rate"), (Fault.LATENCY, "p95"), (Fault.OUTAGE, "error-rate")]
)
def test_each_fault_breaks_a_limit_of_the_customers_plan(fault: Fault, trigger: str) -> None:
    found = Drill(fault, DrillScope.STAGING, PLAN).trigger
    assert found is not None
    assert found.limit.name == trigger


def test_the_copy_keeps_the_plans_triggers_and_margins() -> None:
    copied = shortened(PLAN)
    assert (copied.triggers, copied.margins, copied.alert_rules) == (PLAN.triggers, PLAN.margins, PLAN.alert_rules)
    assert len(copied.steps) == 1


def statuses(fault: Fault, requests: int, *, active: bool) -> list[int]:
    async def run() -> list[int]:
        faulty, answered = Faulty(stand_in, fault), []
        faulty.active = active

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        for number in range(requests):
            await faulty(scope_of("/", f"drill-{number}"), no_body, send)
        assert faulty.broken == (requests if active else 0)
        return answered

    return asyncio.run(run())


@pytest.mark.parametrize("fault", list(Fault))
def test_nothing_is_wrong_before_the_fault_is_switched_on(fault: Fault) -> None:
    assert statuses(fault, 10, active=False) == [200] * 10


def test_three_answers_of_ten_are_errors() -> None:
    assert statuses(Fault.ERRORS, 100, active=True).count(500) == 30


def test_an_outage_raises() -> None:
    with pytest.raises(DrillOutage):
        statuses(Fault.OUTAGE, 1, active=True)
