"""The console in a real browser: every order that a person can give, and what protects them from giving a wrong one."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from console_stage import ADMIN_TOKEN, PLAN, Stage
from console_visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.tool("chromium")]


def confirm(page: Any, button: str, reason: str = "") -> None:
    """Answer the open question."""
    dialog = page.get_by_role("dialog")
    if reason:
        dialog.get_by_role("textbox").last.fill(reason)
    dialog.get_by_role("button", name=button, exact=True).click()
    dialog.wait_for(state="hidden")


def order(page: Any, verb: str, button: str, reason: str = "") -> None:
    page.get_by_role("group", name="Orders").get_by_role("button", name=verb, exact=True).click()
    confirm(page, button, reason)


def phase(page: Any, text: str) -> None:
    page.locator(".phase", has_text=text).wait_for()


def test_a_rollout_goes_from_its_start_to_success_by_orders_from_the_console(visitor: Visitor, stage: Stage) -> None:
    page = visitor.log_in()
    page.get_by_role("heading", name="Nothing is being rolled out").wait_for()
    page.locator("select[name=plan]").select_option("demo")
    page.get_by_role("button", name="Start", exact=True).click()
    confirm(page, "Start", "shown in the console")
    phase(page, "Progressing")
    order(page, "Pause", "Pause", "lunch")
    phase(page, "Paused")
    page.get_by_text("lunch").first.wait_for()
    order(page, "Resume", "Resume")
    phase(page, "Progressing")
    order(page, "Roll back", "Roll back now", "not this plan")
    phase(page, "Rolled back")
    page.get_by_role("heading", name="Receipt of the rollback").wait_for()
    stage.start()
    stage.until(lambda status: status["rollout"]["waiting_for"])
    page.get_by_role("button", name="Approve management").click()
    confirm(page, "Approve", "the figures are good")
    stage.until_phase("succeeded")
    phase(page, "Succeeded")
    page.get_by_role("heading", name="The rollout has succeeded: what next?").wait_for()
    reasons = {event["reason"] for event in stage.order("/events?limit=100", method="GET")["events"]}
    assert {"shown in the console", "lunch", "not this plan", "the figures are good"} <= reasons


def test_a_person_advances_promotes_and_takes_the_promotion_back(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    page = visitor.log_in()
    phase(page, "Progressing")
    stage.until(lambda status: status["metrics"]["canary"]["request_count"] > 40)
    page.locator(".orders button:enabled", has_text="Advance").wait_for()
    order(page, "Advance", "Advance", "seen enough")
    page.get_by_role("button", name="Approve management").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("yes")
    confirm(page, "Approve")
    page.get_by_text("Everybody gets the canary").first.wait_for()
    stage.until_phase("watching", "succeeded")


def test_an_approval_takes_all_that_the_plan_wants_handed_in(visitor: Visitor, stage: Stage) -> None:
    wanted = 'name = "management", checklist = ["real user flows"], attachment = "report", business_impact = true'
    plan = PLAN.format(bake="1s").replace('name = "management"', wanted)
    stage.order("/rollout/start", {"source": plan})
    stage.until(lambda status: status["rollout"]["waiting_for"])
    page = visitor.log_in()
    page.get_by_role("button", name="Approve management").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("real user flows").check()
    content = b"what was measured"
    file = {"name": "report.html", "mimeType": "text/html", "buffer": content}
    dialog.get_by_label("Hand in: report").set_input_files(file)
    dialog.get_by_label("What it means for the business").fill("none that hurts")
    confirm(page, "Approve", "seen and good")
    stage.until_phase("watching", "succeeded")
    events = stage.order("/events?limit=100", method="GET")["events"]
    [details] = [event["details"] for event in events if event["kind"] == "approved"]
    assert details["checked"] == ["real user flows"]
    assert details["attachment"] == {"name": "report.html", "digest": sha256(content).hexdigest()}
    assert details["business_impact"] == "none that hurts"


def test_the_one_button_stops_the_canary(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    stage.until_phase("progressing")
    page = visitor.log_in()
    page.get_by_role("button", name="Stop the canary").click()
    confirm(page, "Stop it now")
    page.get_by_role("heading", name="Everybody gets LEGACY").wait_for()
    status = stage.until_phase("rolled_back")
    assert (status["config"]["enabled"], status["rollout"]["receipt"]["by"]) == (False, "alice")
    assert page.get_by_role("button", name="Stop the canary").count() == 0


def test_the_one_button_also_stops_a_canary_that_no_rollout_judges(visitor: Visitor, stage: Stage) -> None:
    stage.order("/config", {"canary_percentage": 30})
    page = visitor.log_in()
    page.get_by_role("heading", name="no rollout judges it").wait_for()
    page.get_by_role("button", name="Stop the canary").click()
    confirm(page, "Stop it now", "users complain")
    page.get_by_role("heading", name="Everybody gets LEGACY").wait_for()
    assert stage.status()["config"]["enabled"] is False


def test_an_order_for_a_state_that_has_changed_asks_to_look_again(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    page = visitor.log_in()
    phase(page, "Progressing")
    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog")
    stage.order("/config", {"canary_percentage": 5})
    dialog.get_by_text("The state has changed").wait_for()
    assert dialog.get_by_role("button", name="Pause", exact=True).is_disabled()
    dialog.get_by_role("button", name="I have looked").click()
    assert dialog.get_by_role("button", name="Pause", exact=True).is_enabled()
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="hidden")


def test_a_reason_is_demanded_and_escape_orders_nothing(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="1s")
    page = visitor.log_in()
    approve = page.get_by_role("button", name="Approve management")
    approve.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Approve", exact=True).click()
    assert dialog.is_visible()
    assert page.evaluate("document.activeElement.name") == "reason"
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.textContent").strip() == "Approve management"
    assert stage.status()["rollout"]["approvals"] == []


def test_a_viewer_sees_everything_and_may_order_nothing(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="1s")
    stage.until(lambda status: status["rollout"]["waiting_for"])
    page = visitor.log_in(stage.token("viewer"))
    page.get_by_role("heading", name="Waits for").wait_for()
    for name in ("Stop the canary", "Pause", "Promote", "Roll back", "Approve management", "Send a test alert"):
        assert page.get_by_role("button", name=name, exact=True).is_disabled(), name
    assert page.get_by_text("Needs the role operator").count() > 0


def test_an_endpoint_is_taken_out_of_the_canary_and_put_back(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    stage.until_phase("progressing")
    page = visitor.log_in()
    switch = page.get_by_role("switch", name="Canary on /catalogue")
    assert switch.get_attribute("aria-checked") == "true"
    switch.click()
    confirm(page, "Take it out", "its errors")
    page.locator("[role=switch][aria-label='Canary on /catalogue'][aria-checked=false]").wait_for()
    rules = stage.status()["config"]["endpoints"]
    assert rules == [{"template": "/catalogue", "enabled": False, "max_percentage": 100.0}]
    switch.click()
    confirm(page, "Put it back", "mended")
    page.locator("[role=switch][aria-label='Canary on /catalogue'][aria-checked=true]").wait_for()


def test_a_users_version_is_explained(visitor: Visitor, stage: Stage) -> None:
    stage.order("/config", {"canary_percentage": 30})
    page = visitor.log_in()
    for user in ("user-1", "user-2", "user-3"):
        page.get_by_label("User", exact=True).fill(user)
        page.get_by_role("button", name="Explain").click()
        told = page.locator(".answer", has_text=user)
        told.wait_for()
        answer = stage.order(f"/explain?user_id={user}", method="GET")
        assert answer["version"].upper() in told.inner_text()
        assert f"bucket {answer['bucket']} of 10,000; those below 3,000" in told.inner_text()


def test_the_alerts_are_tried_out(visitor: Visitor) -> None:
    page = visitor.log_in()
    page.get_by_role("button", name="Send a test alert").click()
    page.locator(".trials li", has_text=re.compile("log.*delivered")).wait_for()


def test_the_rollback_is_drilled_and_leaves_its_receipt(visitor: Visitor) -> None:
    page = visitor.log_in()
    page.get_by_role("button", name="Start a drill").click()
    page.get_by_role("dialog").get_by_label("What is broken").select_option("outage")
    confirm(page, "Start a drill", "before the release")
    card = page.get_by_role("region", name="Rollback drill")
    card.get_by_role("progressbar").wait_for()
    assert card.get_by_role("button", name="Start a drill").is_disabled()
    card.get_by_role("row", name="Last canary request").wait_for()
    assert card.get_by_text("Outage: every request fails").is_visible()
    told = page.locator(".events", has_text="A drill of the rollback has ended")
    told.get_by_text("before the release").wait_for()
    assert card.get_by_role("button", name="Start a drill").is_enabled()


def test_business_measures_stand_side_by_side_with_what_can_be_said_of_them(visitor: Visitor, stage: Stage) -> None:
    stage.legacy.rating, stage.canary.rating = 0.5, 0.75
    stage.order("/config", {"canary_percentage": 50})
    stage.until(lambda status: status["metrics"]["canary"]["request_count"] > 20)
    page = visitor.log_in()
    row = page.get_by_role("region", name="Business measures").get_by_role("row", name="satisfaction")
    row.wait_for()
    assert "0.75" in row.inner_text()
    assert "+0.25" in row.inner_text()


def test_a_report_opens_and_one_that_is_not_there_is_said_to_be_missing(visitor: Visitor, stage: Stage) -> None:
    page = visitor.log_in()
    page.get_by_role("button", name="Incident").click()
    page.get_by_text("There is no report “Incident” here yet.").wait_for()
    visitor.complaints.clear()  # the browser tells of the 404 as well
    stage.start(bake="10m")
    stage.until_phase("progressing")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Comparison").click()
    assert "reports/comparison?format=html" in opened.value.url


def test_a_wrong_token_is_refused_in_words_and_a_right_one_is_remembered(visitor: Visitor) -> None:
    page = visitor.visit()
    page.get_by_label("Token").fill("a-wrong-token-of-some-length")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").get_by_text("unknown, revoked or expired").wait_for()
    visitor.complaints.clear()  # the browser tells of the 401 as well
    page.get_by_label("Token").fill(ADMIN_TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.locator(".glance").wait_for()
    page.reload()
    page.locator(".glance").wait_for()
    assert page.evaluate("document.cookie") == ""
    assert ADMIN_TOKEN not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Token").wait_for()
    page.reload()
    page.get_by_label("Token").wait_for()


def test_a_plan_of_ones_own_that_is_wrong_is_told_line_by_line(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.log_in()
    page.get_by_text("The plan in full").click()
    page.get_by_role("textbox", name="The plan in full").fill('name = "mine"\nsteps = 3\n')
    page.get_by_role("button", name="Start", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("to try")
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.get_by_role("alert").get_by_text("steps").wait_for()
    visitor.complaints.clear()  # the browser tells of the 422 as well
