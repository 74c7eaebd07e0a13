"""A rollout started, watched and steered through the admin API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from admin_desk import ADDRESS, ADMIN, Desk, at_desk, kind
from control_room import PLAN
from serinus.admin.app import PREFIX
from serinus.plans import shipped_text
from serinus.rollout.events import EventKind
from serinus.rollout.plan import ApprovalGate, Plan
from serinus.rollout.plan_mapping import plan_to_mapping
from serinus.rollout.state import Phase
from store_faults import FAULTS, Fault

READABLE = {name: FAULTS[name] for name in ("locked", "no more writes", "read-only")}
WITH_APPROVAL = replace(
    PLAN, steps=(PLAN.steps[0], replace(PLAN.steps[1], approvals=(ApprovalGate("end-to-end-test"),)))
)

SLOW = replace(PLAN, steps=(replace(PLAN.steps[0], bake_seconds=3_600), PLAN.steps[1]))


async def begin(desk: Desk, plan: Plan = PLAN) -> None:
    response = await desk.post("/rollout/start", {"plan": plan_to_mapping(plan), "reason": "release 4"})
    assert response.status_code == 201, response.text
    await desk.room.until(Phase.PROGRESSING)


async def look(desk: Desk) -> dict[str, Any]:
    response = await desk.get("/rollout")
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def test_a_plan_that_ships_is_started_by_its_name() -> None:
    async def story(desk: Desk) -> None:
        response = await desk.post("/rollout/start", {"plan": "phase4", "reason": "week 1"})
        assert response.status_code == 201
        answer = response.json()
        assert (answer["plan"], answer["phase"], answer["started_by"]) == ("phase4", "pending", "alice")
        assert [step["percentage"] for step in answer["steps"]] == [5, 10, 25, 50]
        [event] = await desk.room.store.events()
        assert (event.kind, event.reason, event.details["from"]) == (EventKind.STARTED, "week 1", ADDRESS)

    at_desk(story)


def test_a_plan_is_started_from_its_toml_and_reads_back_as_it_was_understood() -> None:
    async def story(desk: Desk) -> None:
        response = await desk.post("/rollout/start", {"source": shipped_text("demo")})
        assert response.status_code == 201
        again = await desk.post("/rollout/rollback")
        assert again.json()["phase"] in {"rolling_back", "rolled_back"}
        assert response.json()["definition"]["name"] == "demo"

    at_desk(story)


def test_a_wrong_plan_is_refused_with_every_problem_and_its_line() -> None:
    async def story(desk: Desk) -> None:
        source = shipped_text("demo").replace("percentage = 20", "percentage = 200").replace("bake = ", "bakes = ", 1)
        response = await desk.post("/rollout/start", {"source": source})
        assert (response.status_code, kind(response)) == (422, "invalid-input")
        problems = response.json()["detail"]
        assert len(problems) >= 2
        lines = source.splitlines()
        assert any("200" in lines[problem["line"] - 1] for problem in problems)
        assert any("bakes" in lines[problem["line"] - 1] for problem in problems)
        assert await desk.room.store.latest_rollout() is None

    at_desk(story)


def test_what_cannot_be_started_changes_nothing() -> None:
    async def story(desk: Desk) -> None:
        bodies: tuple[tuple[dict[str, Any], int], ...] = (
            ({}, 422),
            ({"plan": "phase4", "source": "x"}, 422),
            ({"plan": "phase5"}, 404),
            ({"source": "this is = not toml ="}, 422),
            ({"plan": {"name": "empty"}}, 422),
            ({"plan": "phase4", "endpoints": [{"template": "/nowhere"}]}, 422),
            ({"plan": "phase4", "hurry": True}, 422),
        )
        for body, status in bodies:
            response = await desk.post("/rollout/start", body)
            assert (body, response.status_code) == (body, status)
        assert await desk.state() == (0, 0)

    at_desk(story)


def test_a_second_rollout_is_refused_while_one_runs() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk)
        before = await desk.state()
        response = await desk.post("/rollout/start", {"plan": "demo"})
        assert (response.status_code, kind(response)) == (409, "refused")
        assert await desk.state() == before

    at_desk(story)


def test_the_rollout_shows_shares_figures_gates_and_time_left() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk, SLOW)
        for _ in range(6):
            await desk.room.second(200)
        answer = await look(desk)
        assert (answer["phase"], answer["step"], answer["step_count"]) == ("progressing", 0, 2)
        assert answer["desired_percentage"] == 20
        assert 10 < answer["observed_percentage"] < 30
        assert 3_590 < answer["seconds_left"] < 3_600
        assert [step["state"] for step in answer["steps"]] == ["current", "ahead"]
        gates = {gate["name"]: gate for gate in answer["gates"]}
        assert gates["volume"]["is_open"]
        assert f"{answer['report']['canary']['valid']} canary requests" in gates["volume"]["message"]
        assert answer["report"]["canary"]["p95_ms"] > 0
        assert answer["report"]["at"].endswith("Z")

    at_desk(story)


def test_reasons_are_told_in_the_language_that_the_caller_asks_for() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk)
        await desk.room.second()

        async def bake(**request: Any) -> str:
            answer = (await desk.get("/rollout", **request)).json()
            return str(next(gate["message"] for gate in answer["gates"] if gate["name"] == "bake"))

        english, korean = await bake(), await bake(headers={"Accept-Language": "fr, ko-KR;q=0.8, en;q=0.5"})
        assert "stable for" in english
        assert "안정적" in korean
        assert await bake(params={"language": "ko"}) == korean
        assert await bake(headers={"Accept-Language": "fr"}) == english

    at_desk(story)


def test_a_pause_keeps_the_share_and_resuming_goes_on() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk)
        paused = (await desk.post("/rollout/pause", {"reason": "lunch"})).json()
        assert (paused["phase"], paused["pause"]["by"], paused["pause"]["reason"]) == ("paused", "alice", "lunch")
        assert paused["desired_percentage"] == 20
        resumed = await desk.post("/rollout/resume")
        assert resumed.json()["phase"] == "progressing"
        await desk.room.until(Phase.SUCCEEDED)

    at_desk(story)


def test_an_approval_opens_its_gate_when_it_names_the_report_that_was_seen() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk, WITH_APPROVAL)
        for _ in range(12):
            await desk.room.second(120)
        waiting = await look(desk)
        assert (waiting["step"], waiting["waiting_for"]) == (1, ["end-to-end-test"])
        approval = {"gate": "end-to-end-test", "step": 1, "report_at": waiting["report"]["at"], "reason": "all green"}
        approved = await desk.post("/rollout/approve", approval, token=await desk.token("approver", "kim"))
        assert approved.status_code == 200
        assert approved.json()["approvals"][0]["by"] == "kim"
        await desk.room.until(Phase.SUCCEEDED)

    at_desk(story)


def test_an_approval_on_another_step_an_old_report_or_an_unknown_gate_is_refused() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk, WITH_APPROVAL)
        for _ in range(12):
            await desk.room.second(120)
        now = desk.room.clock()
        good = {"gate": "end-to-end-test", "step": 1, "report_at": iso(now)}
        before = await desk.state()
        for wrong in ({"step": 0}, {"report_at": iso(now - 7_200)}, {"gate": "somebody"}):
            response = await desk.post("/rollout/approve", good | wrong)
            assert (wrong, response.status_code, kind(response)) == (wrong, 409, "refused")
        assert (await desk.post("/rollout/approve", good | {"report_at": "yesterday"})).status_code == 422
        assert (await desk.post("/rollout/approve", {"gate": "end-to-end-test"})).status_code == 422
        assert await desk.state() == before

    at_desk(story)


def test_a_rollback_leaves_a_receipt_with_who_and_why() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk)
        await desk.room.second()
        answer = await desk.post(
            "/rollout/rollback", {"reason": "complaints"}, token=await desk.token("operator", "lee")
        )
        assert answer.json()["phase"] == "rolling_back"
        await desk.room.until(Phase.ROLLED_BACK)
        receipt = (await look(desk))["receipt"]
        assert (receipt["cause"], receipt["by"], receipt["message"]) == ("manual", "lee", "complaints")
        assert receipt["decided_at"] <= receipt["completed_at"]
        assert receipt["last_canary_at"] is not None
        [rollout] = (await desk.get("/history")).json()["rollouts"]
        assert (rollout["phase"], rollout["receipt"]["by"]) == ("rolled_back", "lee")
        told = [event for event in await desk.room.store.events() if event.kind is EventKind.ROLLBACK_STARTED]
        assert told[0].details["from"] == ADDRESS

    at_desk(story)


def test_an_advance_skips_the_bake_time_and_needs_a_reason_over_what_is_inconclusive() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk, SLOW)
        await desk.room.second(5)
        await desk.room.second(5)
        desk.room.clock.forward(1)
        await desk.room.controller.tick()
        refused = await desk.post("/rollout/advance")
        assert refused.status_code == 409
        assert "reason" in refused.json()["detail"]
        advanced = await desk.post("/rollout/advance", {"reason": "it is a small town"})
        assert (advanced.status_code, advanced.json()["step"]) == (200, 1)

    at_desk(story)


def test_the_status_says_what_is_wrong_and_where() -> None:
    async def story(desk: Desk) -> None:
        quiet = (await desk.get("/status")).json()
        assert [problem["code"] for problem in quiet["problems"]] == ["no_agents"]
        await begin(desk, SLOW)
        await desk.room.second()
        await desk.room.second()
        well = (await desk.get("/status")).json()
        assert (well["health"], well["problems"]) == ("ok", [])
        assert well["agents"][0]["adopted"]
        desk.room.clock.forward(30)
        codes = {problem["code"] for problem in (await desk.get("/status")).json()["problems"]}
        assert codes == {"controller_silent", "agent_silent"}
        desk.room.new.status = 500
        await desk.room.until(Phase.ROLLED_BACK)
        assert (await desk.get("/status")).json()["health"] == "rolled_back"

    at_desk(story)


def test_agents_have_a_while_to_take_up_a_split_before_the_status_complains() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.second()
        await desk.post("/config", {"canary_percentage": 30})
        at_once = (await desk.get("/status")).json()
        assert (at_once["agents"][0]["adopted"], at_once["health"]) == (False, "ok")
        await desk.room.agent.deliver()
        desk.room.clock.forward(11)
        await desk.room.agent.deliver()
        await desk.room.controller.tick()
        later = (await desk.get("/status")).json()
        assert [problem["code"] for problem in later["problems"]] == ["agent_behind"]

    at_desk(story)


def test_a_refusal_is_told_in_the_language_that_the_caller_asks_for() -> None:
    async def story(desk: Desk) -> None:
        refused = await desk.post("/rollout/pause", headers={"Accept-Language": "ko-KR, en;q=0.5"})
        assert refused.json()["title"] == "현재 상태에서는 할 수 없습니다"
        assert refused.json()["detail"] == "진행 중인 롤아웃이 없습니다. 먼저 시작하십시오"
        assert (await desk.post("/rollout/pause")).json()["detail"] == "no rollout is running; start one first"

    at_desk(story)


@pytest.mark.parametrize("fault", READABLE.values(), ids=READABLE)
def test_the_status_says_so_while_the_store_takes_nothing(fault: Fault, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    path = tmp_path / "store" / "serinus.db"

    async def story(desk: Desk) -> None:
        await desk.room.second()
        with fault(path):
            await desk.room.serve(5)
            desk.room.clock.forward(2)
            await desk.room.agent.beat()
            found = (await desk.get("/status")).json()
            assert [each["code"] for each in found["problems"]][:1] == ["store_failing"]
            assert "LEGACY" in found["problems"][0]["message"]
            assert (found["health"], str(tmp_path) in str(found)) == ("attention", False)
        await desk.room.second()
        assert (await desk.get("/status")).json()["problems"] == []

    at_desk(story, f"sqlite+aiosqlite:///{path}?timeout=0.01")


def test_the_analysis_lists_every_check_with_its_reason() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk)
        for _ in range(3):
            await desk.room.second(100)
        report = (await desk.get("/analysis")).json()
        assert {check["name"] for check in report["slo"]} == {"error_rate", "p95", "volume"}
        assert [limit["name"] for limit in report["limits"]] == ["error_rate"]
        assert all(check["message"] and check["message"] != check["reason"] for check in report["slo"])

    at_desk(story)


def test_an_order_whose_sender_left_before_its_end_is_not_carried_out() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk, SLOW)
        before = await desk.state()
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"{PREFIX}/rollout/pause",
            "query_string": b"",
            "headers": [(b"authorization", f"Bearer {ADMIN}".encode()), (b"content-length", b"21")],
        }

        async def leave() -> dict[str, object]:
            return {"type": "http.disconnect"}

        async def send(message: object) -> None:
            raise AssertionError(f"nobody is there to hear {message}")

        await desk.app(scope, leave, send)
        assert await desk.state() == before

    at_desk(story)


def test_an_approval_is_handed_in_with_its_checklist_its_file_and_its_words() -> None:
    async def story(desk: Desk) -> None:
        gate = ApprovalGate("boss", 3_600, checklist=("edge cases",), attachment="metrics report", business_impact=True)
        await begin(desk, replace(PLAN, steps=(replace(PLAN.steps[0], approvals=(gate,)), PLAN.steps[1])))
        await desk.room.second()
        seen = {"gate": "boss", "step": 0, "report_at": (await look(desk))["report"]["at"]}
        refused = await desk.post("/rollout/approve", seen)
        assert (refused.status_code, kind(refused)) == (409, "refused")
        assert "tick 'edge cases'; attach the metrics report; say what" in refused.json()["detail"]
        forged = await desk.post("/rollout/approve", {**seen, "attachment": {"name": "a.html", "digest": "no digest"}})
        assert forged.status_code == 422
        handed_in = {
            "checked": ["edge cases"],
            "attachment": {"name": "a.html", "digest": "0f" * 32},
            "business_impact": "fewer calls",
        }
        [approval] = (await desk.post("/rollout/approve", {**seen, **handed_in})).json()["approvals"]
        assert {name: approval[name] for name in handed_in} == handed_in
        given_at = datetime.fromisoformat(approval["at"])
        assert datetime.fromisoformat(approval["expires_at"]) == given_at + timedelta(hours=1)

    at_desk(story)
