"""Drills as an operator orders them."""

import pytest

from admin_desk import Desk, at_desk, kind
from serinus.rollout.events import EventKind


def test_a_drill_is_an_event_from_its_beginning_and_one_at_a_time() -> None:
    async def story(desk: Desk) -> None:
        begun = await desk.post("/drill", {"fault": "outage", "reason": "training"})
        assert begun.status_code == 202
        event = begun.json()
        assert (event["kind"], event["actor"], event["reason"]) == ("drill_started", "alice", "training")
        assert event["details"]["plan"] == "phase4"
        second = await desk.post("/drill", {"fault": "errors"})
        assert (second.status_code, kind(second)) == (409, "refused")
        assert "alice started has not ended" in second.json()["detail"]
        await desk.drills.stop()
        ended = await desk.room.store.latest_event(EventKind.DRILL_COMPLETED)
        assert ended is not None
        assert (ended.incident, ended.reason) == (event["incident"], "drill_aborted")
        assert (await desk.post("/drill", {})).status_code == 202

    at_desk(story)


def test_a_shadow_of_a_service_whose_users_have_the_canary_needs_a_reason() -> None:
    async def story(desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 5, "enabled": True})
        refused = await desk.post("/drill", {"scope": "live-shadow", "path": "/hello"})
        assert (refused.status_code, kind(refused)) == (409, "refused")
        assert "5 % of the users have the canary now" in refused.json()["detail"]
        told = await desk.post("/drill", {"scope": "live-shadow", "path": "/hello", "reason": "announced for ten"})
        assert told.status_code == 202

    at_desk(story)


def test_operators_drill_and_viewers_do_not() -> None:
    async def story(desk: Desk) -> None:
        assert (await desk.post("/drill", {}, token=await desk.token("viewer"))).status_code == 403
        assert (await desk.post("/drill", {}, token=await desk.token("operator"))).status_code == 202

    at_desk(story)


@pytest.mark.parametrize(
    "body", [{"fault": "flood"}, {"scope": "production"}, {"path": "hello"}, {"plan": "none such"}]
)
def test_what_cannot_be_drilled_is_refused_before_anything_begins(body: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        before = await desk.state()
        assert (await desk.post("/drill", body)).status_code in {404, 422}
        assert await desk.state() == before

    at_desk(story)


def test_without_a_drill_there_is_no_report_of_one() -> None:
    async def story(desk: Desk) -> None:
        missing = await desk.get("/reports/drill")
        assert (missing.status_code, kind(missing)) == (404, "not-found")

    at_desk(story)
