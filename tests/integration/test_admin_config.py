"""The configuration call: the customer's own commands, directions and roles, and everything that is refused."""

import pytest

from admin_desk import ADDRESS, ADMIN, Desk, at_desk, kind
from control_room import PLAN
from serinus.rollout.events import EventKind
from serinus.rollout.state import Phase

CUSTOMERS_BODY = b'{"canary_percentage": 0, "enabled": false}'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("headers", [FORM, {}], ids=["as curl names it", "without a content type"])
def test_the_customers_rollback_command_takes_the_canary_to_nobody(headers: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 60, "enabled": True})
        await desk.room.agent.beat()
        assert "canary" in await desk.room.serve(20)
        response = await desk.send("POST", "/config", content=CUSTOMERS_BODY, headers=headers)
        assert response.status_code == 200
        assert (response.json()["canary_percentage"], response.json()["enabled"]) == (0, False)
        await desk.room.agent.beat()
        assert set(await desk.room.serve(20)) == {"legacy"}

    at_desk(story)


def test_the_customers_rollback_command_rolls_a_running_rollout_back() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(PLAN, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        response = await desk.send("POST", "/config", content=CUSTOMERS_BODY, headers=FORM)
        assert response.status_code == 200
        assert (await desk.room.rollout()).phase is Phase.ROLLING_BACK
        await desk.room.until(Phase.ROLLED_BACK)

    at_desk(story)


def test_a_first_share_switches_the_canary_on_and_reaches_the_router_with_the_next_beat() -> None:
    async def story(desk: Desk) -> None:
        response = await desk.post("/config", {"canary_percentage": 12.5})
        assert response.json()["enabled"]
        await desk.room.agent.refresh()
        assert desk.room.canary.router.split.percentage == 12.5

    at_desk(story)


def test_who_only_switches_the_canary_on_gets_the_usual_share_once() -> None:
    async def story(desk: Desk) -> None:
        assert (await desk.post("/config", {"enabled": True})).json()["canary_percentage"] == 5
        await desk.post("/config", {"canary_percentage": 0, "enabled": False})
        assert (await desk.post("/config", {"enabled": True})).json()["canary_percentage"] == 0

    at_desk(story)


def test_the_answer_says_how_much_of_the_traffic_the_canary_really_gets() -> None:
    async def story(desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 100})
        await desk.room.agent.beat()
        await desk.room.second(30)
        await desk.post("/config", {"canary_percentage": 0})
        await desk.room.agent.beat()
        await desk.room.second(10)
        await desk.room.second(0)
        found = (await desk.get("/config")).json()
        assert found["canary_percentage"] == 0
        assert found["observed_percentage"] == pytest.approx(75)

    at_desk(story)


UNUSABLE = (
    (b'{"canary_percentage": 101}', "canary_percentage"),
    (b'{"canary_percentage": -1}', "canary_percentage"),
    (b'{"canary_percentage": NaN}', "canary_percentage"),
    (b'{"canary_percentage": Infinity}', "canary_percentage"),
    (b'{"canary_percentage": "5"}', "canary_percentage"),
    (b'{"canary_percentage": true}', "canary_percentage"),
    (b'{"enabled": "no"}', "enabled"),
    (b'{"canary_percent": 5}', "canary_percent"),
    (b'{"reason": "nothing else"}', "body"),
    (b"{}", "body"),
    (b"[5]", "body"),
    (b'{"canary_percentage": 0', "body"),
    (b"canary_percentage=0", "body"),
    (b"", "body"),
    (b'{"endpoints": [{"template": "/nowhere"}]}', "/nowhere"),
    (b'{"endpoints": [{"template": "/hello", "max_percentage": 200}]}', "max_percentage"),
    (b'{"endpoints": [{"template": "/hello"}, {"template": "/hello/"}]}', "has a rule already"),
    (b'{"enabled": false, "reason": "\\ud800"}', "reason"),
)


def test_an_input_that_cannot_be_used_is_named_and_changes_nothing() -> None:
    async def story(desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 20})
        before = await desk.state()
        for body, place in UNUSABLE:
            response = await desk.send("POST", "/config", content=body)
            assert (body, response.status_code, kind(response)) == (body, 422, "invalid-input")
            assert isinstance(response.json()["detail"], list)
            assert place in response.text
            assert await desk.state() == before

    at_desk(story)


def test_bytes_that_no_parser_takes_are_the_callers_fault() -> None:
    async def story(desk: Desk) -> None:
        before = await desk.state()
        for body in (b"\xff\xfe{}", b'{"canary_percentage": 1' + b"0" * 5_000 + b"}", b"[" * 50_000):
            response = await desk.send("POST", "/config", content=body)
            assert response.status_code in {400, 422}
            assert response.headers["content-type"] == "application/problem+json"
        assert await desk.state() == before

    at_desk(story)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_before_it_is_understood(*, chunked: bool) -> None:
    async def story(desk: Desk) -> None:
        before = await desk.state()
        body = b'{"canary_percentage": 5, "reason": "' + b"x" * 3_000 + b'"}'

        async def pieces() -> object:
            for start in range(0, len(body), 500):
                yield body[start : start + 500]

        response = await desk.send("POST", "/config", content=pieces() if chunked else body)
        assert (response.status_code, kind(response)) == (413, "body-too-large")
        assert await desk.state() == before

    at_desk(story, max_body_bytes=2_000)


def test_a_change_to_a_stale_revision_is_refused_and_names_the_present_one() -> None:
    async def story(desk: Desk) -> None:
        first = await desk.post("/config", {"canary_percentage": 10})
        await desk.post("/config", {"canary_percentage": 20})
        before = await desk.state()
        stale = {"If-Match": first.headers["etag"]}
        response = await desk.post("/config", {"canary_percentage": 30}, headers=stale)
        assert (response.status_code, kind(response)) == (409, "stale-revision")
        assert f"revision {before[0]}" in response.json()["detail"]
        assert await desk.state() == before

    at_desk(story)


def test_a_change_to_the_present_revision_is_made() -> None:
    async def story(desk: Desk) -> None:
        first = await desk.post("/config", {"canary_percentage": 10})
        response = await desk.post("/config", {"canary_percentage": 30}, headers={"If-Match": first.headers["etag"]})
        assert response.json()["canary_percentage"] == 30
        assert response.json()["revision"] == first.json()["revision"] + 1

    at_desk(story)


def test_a_condition_that_is_no_revision_is_not_ignored() -> None:
    async def story(desk: Desk) -> None:
        response = await desk.post("/config", {"enabled": False}, headers={"If-Match": "yesterday's"})
        assert response.status_code == 422
        assert "If-Match" in response.text

    at_desk(story)


OPERATORS_CHANGES = (
    ({"canary_percentage": 20}, 200),
    ({"canary_percentage": 0}, 200),
    ({"enabled": False}, 200),
    ({"endpoints": [{"template": "/hello", "enabled": False}]}, 200),
    ({"canary_percentage": 31}, 403),
    ({"endpoints": []}, 403),
    ({"canary_percentage": 20, "endpoints": []}, 403),
    ({"endpoints": [{"template": "*", "max_percentage": 15}, {"template": "/hello", "max_percentage": 5}]}, 200),
    ({"endpoints": [{"template": "/hello", "max_percentage": 5.1}]}, 403),
)


def test_an_operator_may_give_the_canary_less_but_nowhere_more() -> None:
    async def story(desk: Desk) -> None:
        operator = await desk.token("operator")
        for body, status in OPERATORS_CHANGES:
            start = {
                "enabled": True,
                "canary_percentage": 30,
                "endpoints": [{"template": "/hello", "max_percentage": 5}],
            }
            before = (await desk.post("/config", start)).json()["revision"]
            response = await desk.post("/config", body, token=operator)
            assert (body, response.status_code) == (body, status)
            if status == 403:
                assert kind(response) == "forbidden"
                assert (await desk.state())[0] == before

    at_desk(story)


def test_an_approver_may_raise_and_a_viewer_may_change_nothing() -> None:
    async def story(desk: Desk) -> None:
        raised = await desk.post("/config", {"canary_percentage": 30}, token=await desk.token("approver"))
        assert raised.status_code == 200
        refused = await desk.post("/config", {"enabled": False}, token=await desk.token("viewer"))
        assert (refused.status_code, kind(refused)) == (403, "forbidden")
        assert (await desk.room.store.split()).split.enabled

    at_desk(story)


def test_an_operators_stop_needs_no_revision_even_when_somebody_raised_in_between() -> None:
    async def story(desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 30})
        operator = await desk.token("operator")
        await desk.post("/config", {"canary_percentage": 80})
        response = await desk.post("/config", {"canary_percentage": 0, "enabled": False}, token=operator)
        assert response.status_code == 200

    at_desk(story)


def test_during_a_rollout_a_smaller_share_pauses_and_caps() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(PLAN, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        response = await desk.post("/config", {"canary_percentage": 7, "reason": "lunch"})
        assert (response.json()["canary_percentage"], response.json()["source"]) == (7, "rollout")
        rollout = await desk.room.rollout()
        assert rollout.phase is Phase.PAUSED
        assert rollout.pause is not None
        assert (rollout.pause.cap_percentage, rollout.pause.reason) == (7, "lunch")

    at_desk(story)


def test_during_a_rollout_a_raise_is_refused_with_what_to_do_instead() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(PLAN, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        before = await desk.state()
        response = await desk.post("/config", {"canary_percentage": 90})
        assert (response.status_code, kind(response)) == (409, "refused")
        assert "use advance" in response.json()["detail"]
        assert await desk.state() == before

    at_desk(story)


def test_every_change_is_an_event_with_who_why_and_from_where() -> None:
    async def story(desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 30, "reason": "the support asks for it"})
        [event] = await desk.room.store.events()
        assert (event.kind, event.actor, event.reason) == (
            EventKind.CONFIG_CHANGED,
            "alice",
            "the support asks for it",
        )
        assert event.details["from"] == ADDRESS
        assert event.details["canary_percentage"] == 30

    at_desk(story)


def test_the_salt_is_told_apart_without_being_given_away() -> None:
    async def story(desk: Desk) -> None:
        answer = await desk.get("/config")
        assert len(answer.json()["salt_id"]) == 8
        assert (await desk.room.store.split()).split.salt not in answer.text.replace("serinus:problem", "")

    at_desk(story)


@pytest.mark.parametrize("endpoint", ["/conversations/42/turn", "/conversations/{session_id}/turn"])
def test_explain_says_what_the_router_does_on_a_path_or_a_template(endpoint: str) -> None:
    async def story(desk: Desk) -> None:
        rules = [{"template": "/conversations/{session_id}/turn", "enabled": False}]
        await desk.post("/config", {"canary_percentage": 100, "endpoints": rules})
        there = (await desk.get("/explain", params={"user_id": "kim", "endpoint": endpoint})).json()
        assert (there["version"], there["reason"], there["percentage"]) == ("legacy", "endpoint_off", 0)
        anywhere = (await desk.get("/explain", params={"user_id": "kim"})).json()
        assert (anywhere["version"], anywhere["reason"]) == ("canary", "bucket")
        assert anywhere["point"] < anywhere["threshold"] == 2**32

    at_desk(story)


def test_a_secret_is_never_repeated_in_an_answer() -> None:
    async def story(desk: Desk) -> None:
        secret = "a-secret-that-somebody-typed-in-the-wrong-place"
        for body in ({"canary_percentage": secret}, {secret: 1}):
            response = await desk.post("/config", body)
            assert response.status_code == 422
        assert secret not in (await desk.post("/config", {"canary_percentage": secret})).text
        assert ADMIN not in (await desk.get("/tokens")).text

    at_desk(story)


@pytest.mark.parametrize(
    ("path", "method", "body", "loc", "told"),
    [
        ("/metrics?window=nope", "GET", b"", ["query", "window"], "such as 90s"),
        ("/config", "POST", b"{", ["body", 1], "this is no JSON ("),
        ("/config", "POST", b'{"percent": 1}', ["body", "percent"], "no such field"),
        ("/config", "POST", b"{}", ["body"], "give at least one of"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    path: str, method: str, body: bytes, loc: list[str | int], told: str
) -> None:
    async def story(desk: Desk) -> None:
        response = await desk.send(method, path, content=body)
        (problem,) = response.json()["detail"]
        assert (response.status_code, problem["loc"]) == (422, loc)
        assert told in problem["msg"]
        assert "Value error" not in problem["msg"]

    at_desk(story)


def test_a_revision_that_is_none_is_told_as_the_headers_fault() -> None:
    async def story(desk: Desk) -> None:
        response = await desk.send("POST", "/config", content=b'{"enabled": false}', headers={"If-Match": "zz"})
        assert response.json()["detail"][0]["loc"] == ["header", "If-Match"]

    at_desk(story)


def test_a_path_or_a_method_that_there_is_not_is_told_with_those_that_there_are() -> None:
    async def story(desk: Desk) -> None:
        assert "/openapi.json lists" in (await desk.get("/confg")).json()["detail"]
        refused = await desk.send("DELETE", "/config")
        assert refused.status_code == 405
        assert "it takes " in refused.json()["detail"]
        assert refused.headers["allow"] in refused.json()["detail"]

    at_desk(story)
