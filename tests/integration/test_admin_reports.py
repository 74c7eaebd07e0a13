"""Documents made from what is stored, as an operator's program asks for them."""

import json
import re
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from admin_desk import Desk, at_desk, kind
from control_room import PLAN
from serinus.drill.receipt import DrillReceipt
from serinus.messages import render_name
from serinus.reports.document import Kind
from serinus.rollout.events import Event, EventKind
from serinus.rollout.plan import ApprovalGate, Evidence, Plan
from serinus.rollout.plan_mapping import plan_to_mapping
from serinus.rollout.state import Phase

CHECKED = replace(PLAN, steps=(replace(PLAN.steps[0], bake_seconds=12), PLAN.steps[1]), checkpoints_seconds=(4.0, 8.0))
HOSTILE = "<script>alert('x')</script> | \x07 & \"complaints\""
RESULTS = {
    "source": "junit.xml",
    "digest": "0" * 64,
    "seconds": 61.5,
    "groups": [{"name": "tests.integration", "passed": 19, "failed": 0, "skipped": 1}],
    "skips": ["tests.integration.test_singleton"],
}


async def begin(desk: Desk, plan: Plan = PLAN) -> None:
    response = await desk.post("/rollout/start", {"plan": plan_to_mapping(plan), "reason": "release 4"})
    assert response.status_code == 201, response.text
    await desk.room.until(Phase.PROGRESSING)


async def go_wrong(desk: Desk) -> None:
    """A canary that fails everything, and the rollback that follows."""
    await begin(desk)
    await desk.room.second()
    desk.room.new.status = 500
    await desk.room.until(Phase.ROLLED_BACK)


async def read(desk: Desk, kind: Kind | str, **query: str) -> dict[str, Any]:
    response = await desk.get(f"/reports/{kind}", params={"format": "json", **query})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def section(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    [found] = [each for each in document["sections"] if each["name"] == name]
    blocks: list[dict[str, Any]] = found["blocks"]
    return blocks


def facts(block: dict[str, Any]) -> dict[str, Any]:
    return {row["fact"]: row.get("value", row.get("at")) for row in block["rows"]}


def items(document: dict[str, Any], name: str) -> dict[str, bool]:
    [checklist] = section(document, name)
    return {item["name"]: item["done"] for item in checklist["items"]}


def test_the_incident_is_told_with_its_receipt_its_numbers_and_how_many_were_affected() -> None:
    async def story(desk: Desk) -> None:
        await go_wrong(desk)
        rollout = await desk.room.rollout()
        receipt = rollout.receipt
        assert receipt is not None
        document = await read(desk, Kind.INCIDENT)
        assert document["rollout_id"] == rollout.id
        outcome = facts(section(document, "summary")[1])
        assert (outcome["cause"], outcome["deadline met"]) == (render_name(receipt.cause), True)
        [instants] = section(document, "receipt")
        after = {row["fact"]: row["after"] for row in instants["rows"]}
        assert after["completed"] == pytest.approx(receipt.completed_at - receipt.breach_at)  # type: ignore[operator]
        assert after["deadline"] == 60.0
        affected = facts(section(document, "affected")[1])
        assert affected["of them with an error"] > 0
        assert affected["of them with an error"] == affected["requests to CANARY meanwhile"]
        assert affected["share of users"] == 20.0
        numbers = {row["fact"]: row["value"] for row in section(document, "decision")[1]["rows"]}
        assert numbers["canary requests"] > 0
        [where] = section(document, "endpoints")[0]["rows"]
        assert (where["endpoint"], where["legacy_error_rate"], where["canary_error_rate"] > 0.5) == (
            "(other)",
            0.0,
            True,
        )
        findings = [row["finding"] for block in section(document, "judgement") for row in block.get("rows", ())]
        assert any("proven worse since 2" in finding for finding in findings)
        told = [row["number"] for row in section(document, "timeline")[0]["rows"]]
        assert told == [event.sequence for event in await desk.room.store.events(rollout_id=rollout.id)]
        assert len([text for text in section(document, "post_mortem")[1]["questions"] if text.startswith("Why")]) == 5

    at_desk(story)


def test_no_user_is_named_in_an_incident() -> None:
    async def story(desk: Desk) -> None:
        await go_wrong(desk)
        response = await desk.get("/reports/incident")
        assert "user-" not in response.text

    at_desk(story)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("about", [kind for kind in Kind if kind is not Kind.DRILL])
def test_every_document_is_well_formed_html_that_fetches_nothing(about: Kind, language: str) -> None:
    async def story(desk: Desk) -> None:
        await begin(desk, CHECKED)
        for _ in range(9):
            await desk.room.second()
        await desk.post("/rollout/rollback", {"reason": HOSTILE})
        await desk.room.until(Phase.ROLLED_BACK)
        response = await desk.get(f"/reports/{about}", params={"format": "html", "language": language})
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        root = fromstring(response.text.removeprefix("<!DOCTYPE html>\n"))
        assert root.get("lang") == language
        assert {local(element) for element in root.iter()} & {"script", "img", "link", "iframe", "object"} == set()
        addresses = [
            value for element in root.iter() for name, value in element.attrib.items() if name in {"src", "href"}
        ]
        assert addresses == []
        assert "url(" not in response.text
        assert "@import" not in response.text

    at_desk(story)


def local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def test_what_people_wrote_stands_in_a_document_as_text() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk)
        await desk.post("/rollout/rollback", {"reason": HOSTILE})
        await desk.room.until(Phase.ROLLED_BACK)
        page = (await desk.get("/reports/incident", params={"format": "html"})).text
        assert "<script" not in page
        texts = "".join(fromstring(page.removeprefix("<!DOCTYPE html>\n")).itertext())
        assert "<script>alert('x')</script> | \ufffd & \"complaints\"" in texts
        markdown = (await desk.get("/reports/incident")).text
        assert "<script>" not in markdown
        assert "\\<script\\>" in markdown
        lines = [line for line in markdown.splitlines() if "alert" in line]
        assert all(len(re.findall(r"(?<!\\)\|", line)) == 5 for line in lines if line.startswith("|"))

    at_desk(story)


def test_plots_draw_both_versions_and_mark_the_rollback() -> None:
    async def story(desk: Desk) -> None:
        await go_wrong(desk)
        page = (await desk.get("/reports/incident", params={"format": "html"})).text
        root = fromstring(page.removeprefix("<!DOCTYPE html>\n"))
        drawn = {element.get("class") for element in root.iter() if local(element) in {"polyline", "circle"}}
        assert {"line legacy", "line canary"} <= drawn | {name.replace("dot", "line") for name in drawn if name}
        titles = [element.text for element in root.iter() if local(element) == "title"]
        assert "rollback decided" in titles
        plots = [block for block in section(await read(desk, "incident"), "plots") if block["name"] == "error_rate"]
        rates = {one["name"]: [value for _, value in one["points"] if value is not None] for one in plots[0]["series"]}
        assert max(rates["canary"]) == 1.0
        assert max(rates["legacy"]) == 0.0

    at_desk(story)


def test_the_checkpoint_report_compares_all_checkpoints_of_the_step() -> None:
    async def story(desk: Desk) -> None:
        refused = await desk.get("/reports/checkpoint")
        assert (refused.status_code, kind(refused)) == (404, "not-found")
        await begin(desk, CHECKED)
        too_early = await desk.get("/reports/checkpoint")
        assert "reached no checkpoint yet" in too_early.json()["detail"]
        for _ in range(9):
            await desk.room.second()
        document = await read(desk, Kind.CHECKPOINT)
        [made] = section(document, "checkpoints")
        assert [row["age"] for row in made["rows"]] == [4.0, 8.0]
        first, second = (row["canary_requests"] for row in made["rows"])
        assert second > first > 0
        [trend, *_] = section(document, "trend")
        assert all(row["legacy_requests"] > 0 for row in trend["rows"])

    at_desk(story)


def test_readiness_shows_what_is_done_with_its_evidence_and_what_is_not() -> None:
    async def story(desk: Desk) -> None:
        empty = await read(desk, Kind.READINESS)
        assert not any(items(empty, "tier_quality").values())
        assert not any(items(empty, "tier_running").values())
        for _ in range(20):
            await desk.room.second()
        steps = (PLAN.steps[0], replace(PLAN.steps[1], evidence=Evidence.PROVEN, approvals=(ApprovalGate("boss"),)))
        await begin(desk, replace(PLAN, steps=steps))
        await desk.room.second()
        response = await desk.post("/reports/tests", RESULTS)
        assert response.status_code == 204
        document = await read(desk, Kind.READINESS)
        before = items(document, "tier_before")
        assert (before["baseline"], before["plan"], before["controller"]) == (True, True, True)
        assert before["alerts_arrive"] is False
        quality = items(document, "tier_quality")
        assert (quality["tests_pass"], quality["none_skipped"], quality["integration_tests"]) == (True, False, True)
        assert items(document, "tier_everybody")["approval:boss"] is False
        [_, groups, named, _] = section(document, "tests")
        assert groups["rows"] == [{"group": "tests.integration", "passed": 19, "failed": 0, "skipped": 1}]
        assert [row["test"] for row in named["rows"]] == RESULTS["skips"]
        [slo, _] = section(document, "slo")
        assert [row["criterion"] for row in slo["rows"]] == ["error rate", "P95", "canary requests"]

    at_desk(story)


async def promote(desk: Desk) -> None:
    """By an approver's word, and everybody's requests take longer from then on."""
    steps = (PLAN.steps[0], replace(PLAN.steps[1], approvals=(ApprovalGate("boss", checklist=("it works",)),)))
    await begin(desk, replace(PLAN, steps=steps, watch_seconds=30))
    await desk.room.until(Phase.PROGRESSING, step=1)
    await desk.room.second()
    report_at = (await desk.get("/rollout")).json()["report"]["at"]
    word = {"gate": "boss", "step": 1, "report_at": report_at, "checked": ["it works"], "reason": "go"}
    assert (await desk.post("/rollout/approve", word, token=await desk.token("approver", "kim"))).status_code == 200
    await desk.room.until(Phase.WATCHING)
    for seconds in (0.02, 0.2):
        desk.room.new.seconds = seconds
        for _ in range(6):
            await desk.room.second()


def test_the_readiness_of_a_promoted_rollout_is_what_it_was_promoted_on() -> None:
    async def story(desk: Desk) -> None:
        await promote(desk)
        document = await read(desk, Kind.READINESS)
        assert items(document, "tier_everybody") == {"last_step": True, "slo_met": True, "approval:boss": True}
        assert items(document, "tier_running")["slo_met"] is True
        [checklist] = section(document, "tier_everybody")
        [word] = [item["evidence"] for item in checklist["items"] if item["name"] == "approval:boss"]
        assert word.startswith("kim, 2025-")
        assert word.endswith("; go; ✔ it works")
        [slo, _] = section(document, "slo")
        assert {row["verdict"] for row in slo["rows"]} == {"pass"}
        assert [row["canary"] for row in slo["rows"]][:2] == ["0.00 %", "20 ms"]

    at_desk(story)


def test_a_promoted_rollout_is_compared_over_the_time_in_which_both_versions_were_asked() -> None:
    async def story(desk: Desk) -> None:
        await promote(desk)
        document = await read(desk, Kind.COMPARISON)
        _, difference = section(document, "measured")
        [p95] = [row for row in difference["rows"] if row["fact"].startswith("P95")]
        assert abs(float(p95["difference"].removesuffix(" %"))) < 5
        rested, _, *others = section(document, "judgement")
        assert rested["label"].startswith("What the promotion rested on, 2025-")
        found = {row["check"]: row for row in rested["rows"]}
        assert found["error rate"]["finding"].startswith("0.00 % against LEGACY's 0.00 %")
        assert {row["verdict"] for row in rested["rows"]} == {"pass"}
        assert "boss" in found
        assert "SLO criteria in this step" not in {block.get("label") for block in others}

    at_desk(story)


def test_risk_says_how_many_requests_a_dead_canary_could_reach() -> None:
    async def story(desk: Desk) -> None:
        await begin(desk)
        for _ in range(3):
            await desk.room.second()
        [_, table] = section(await read(desk, Kind.READINESS), "risk")
        exposure = table["rows"][0]["basis"]
        reached = int(re.search(r"at most ([\d,]+) requests", exposure)[1].replace(",", ""))  # type: ignore[index]
        assert 200 <= reached <= 60 * 60 * 0.2 * 1.1  # 60 requests a second, a fifth of them for a minute

    at_desk(story)


def test_the_baseline_ends_where_the_rollout_begins() -> None:
    async def story(desk: Desk) -> None:
        for _ in range(6):  # three slices
            await desk.room.second()
        desk.room.clock.forward(7_200)
        await begin(desk)
        for _ in range(4):
            await desk.room.second()
        [_, measured] = section(await read(desk, Kind.BASELINE), "measured")
        [row] = measured["rows"]
        assert (row["version"], row["requests"]) == ("LEGACY", 360)

    at_desk(story)


def test_a_document_is_made_of_the_rollout_that_is_named() -> None:
    async def story(desk: Desk) -> None:
        await go_wrong(desk)
        first = (await desk.room.rollout()).id
        desk.room.new.status = 200
        desk.room.clock.forward(60)
        await begin(desk)
        assert (await read(desk, Kind.INCIDENT))["rollout_id"] == first
        assert (await read(desk, Kind.COMPARISON))["rollout_id"] != first
        assert (await read(desk, Kind.COMPARISON, rollout=first))["rollout_id"] == first
        unknown = await desk.get("/reports/comparison", params={"rollout": "none such"})
        assert (unknown.status_code, kind(unknown)) == (404, "not-found")

    at_desk(story)


def test_korean_documents_speak_korean() -> None:
    async def story(desk: Desk) -> None:
        await go_wrong(desk)
        text = (await desk.get("/reports/incident", headers={"Accept-Language": "ko"})).text
        assert text.startswith("# 장애 보고서")
        headings = [line for line in text.splitlines() if line.startswith("#")]
        assert all(re.search("[가-힣]", line) for line in headings)

    at_desk(story)


def test_a_viewer_reads_documents_and_an_operator_hands_in_tests() -> None:
    async def story(desk: Desk) -> None:
        viewer = await desk.token("viewer")
        assert (await desk.get("/reports/readiness", token=viewer)).status_code == 200
        assert (await desk.get("/reports/readiness", token=None)).status_code == 401
        refused = await desk.post("/reports/tests", RESULTS, token=viewer)
        assert (refused.status_code, kind(refused)) == (403, "forbidden")
        wrong = await desk.get("/reports/horoscope")
        assert (wrong.status_code, kind(wrong)) == (422, "invalid-input")
        assert "horoscope" not in json.dumps(wrong.json()["detail"])

    at_desk(story)


def test_the_drills_report_sets_every_instant_against_its_deadline() -> None:
    async def story(desk: Desk) -> None:
        receipt = DrillReceipt(
            "error-rate", "error-rate", 60.0, 100.0, 103.0, 104.0, 106.0, 105.0, 105.0, None, 212, 53, 18
        )
        details = {**receipt.details(), "fault": "errors", "scope": "staging", "plan": "phase4", "by": "ann"}
        event = Event(EventKind.DRILL_COMPLETED, 120.0, "serinus", None, "drill_failed", details, "drill-1")
        await desk.room.store.record_events([event])
        document = await read(desk, Kind.DRILL)
        times = {
            row["fact"]: (row["after"], row["allowed"], row["met"]) for row in section(document, "receipt")[0]["rows"]
        }
        assert times["last canary request"] == (5.0, 60.0, True)
        assert times["alert arrived"] == (5.0, 64.0, True)
        assert times["everybody well again"] == (None, 60.0, False)
        assert "recovered" in section(document, "summary")[0]["text"]
        assert facts(section(document, "synthetic")[1])["of them sent to the broken canary"] == 53
        for language in ("en", "ko"):
            page = (await desk.get("/reports/drill", params={"format": "html", "language": language})).text
            fromstring(page.removeprefix("<!DOCTYPE html>\n"))
        ready = items(await read(desk, Kind.READINESS), "tier_before")
        assert ready["drilled"] is False
        await desk.room.store.record_events([replace(event, at=desk.room.clock(), reason="drill_passed")])
        assert items(await read(desk, Kind.READINESS), "tier_before")["drilled"] is True

    at_desk(story)
