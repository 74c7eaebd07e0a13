"""Who gets in: tokens, roles, and how errors are told."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from admin_desk import ADDRESS, ADMIN, Desk, at_desk, kind
from serinus.access import Role
from serinus.attempts import BURST, SECONDS_EACH
from serinus.rollout.events import EventKind
from serinus.rollout.state import Phase

VERBS = {
    "start": Role.APPROVER,
    "approve": Role.APPROVER,
    "advance": Role.APPROVER,
    "promote": Role.APPROVER,
    "pause": Role.OPERATOR,
    "resume": Role.OPERATOR,
    "hold": Role.OPERATOR,
    "rollback": Role.OPERATOR,
}
READS = ("/config", "/status", "/metrics", "/events", "/history", "/explain?user_id=kim")


@pytest.mark.parametrize("token", [None, "wrong", ADMIN + "x", ADMIN[:-1], "안녕"])
def test_without_a_valid_token_nothing_is_answered(token: str | None) -> None:
    async def story(desk: Desk) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
        for path in (*READS, "/rollout", "/analysis", "/events/stream", "/tokens"):
            response = await desk.get(path, token=None, headers=headers)
            assert (path, response.status_code, kind(response)) == (path, 401, "unauthenticated")
            assert response.headers["www-authenticate"].startswith("Bearer")
        assert (await desk.scrape(token=None)).status_code == 401

    at_desk(story)


def test_without_a_valid_token_nothing_is_steered() -> None:
    async def story(desk: Desk) -> None:
        before = await desk.state()
        for verb in VERBS:
            response = await desk.post(f"/rollout/{verb}", {"plan": "demo"}, token="wrong")
            assert (verb, response.status_code) == (verb, 401)
        assert await desk.state() == before

    at_desk(story)


def test_a_viewer_may_read() -> None:
    async def story(desk: Desk) -> None:
        viewer = await desk.token("viewer")
        for path in READS:
            assert (path, (await desk.get(path, token=viewer)).status_code) == (path, 200)

    at_desk(story)


def test_going_on_needs_an_approver_and_going_back_an_operator() -> None:
    async def story(desk: Desk) -> None:
        tokens = {role: await desk.token(role) for role in Role}
        for verb, needed in VERBS.items():
            body = {"gate": "management", "step": 0, "report_at": "2026-01-01T00:00:00Z"} if verb == "approve" else {}
            for role, token in tokens.items():
                refused = (await desk.post(f"/rollout/{verb}", body, token=token)).status_code == 403
                assert (verb, role, refused) == (verb, role, not role.covers(needed))

    at_desk(story)


def test_a_made_token_opens_the_door_until_it_is_revoked() -> None:
    async def story(desk: Desk) -> None:
        made = (await desk.post("/tokens", {"name": "ci", "role": "viewer"})).json()
        assert (await desk.get("/config", token=made["token"])).status_code == 200
        assert (await desk.send("DELETE", f"/tokens/{made['id']}")).status_code == 204
        assert (await desk.get("/config", token=made["token"])).status_code == 401
        [listed] = (await desk.get("/tokens")).json()["tokens"]
        assert (listed["name"], listed["created_by"]) == ("ci", "alice")
        assert listed["revoked_at"] is not None
        events = await desk.room.store.events()
        assert [event.kind for event in events] == [EventKind.TOKEN_CREATED, EventKind.TOKEN_REVOKED]
        assert {(event.actor, event.details["from"]) for event in events} == {("alice", ADDRESS)}

    at_desk(story)


def test_a_token_expires() -> None:
    async def story(desk: Desk) -> None:
        made = (await desk.post("/tokens", {"name": "ci", "role": "viewer", "expires_in_days": 1})).json()
        desk.room.clock.forward(86_399)
        assert (await desk.get("/config", token=made["token"])).status_code == 200
        desk.room.clock.forward(2)
        assert (await desk.get("/config", token=made["token"])).status_code == 401

    at_desk(story)


def test_a_secret_is_shown_once_and_stored_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    secrets: list[str] = []

    async def story(desk: Desk) -> None:
        response = await desk.post("/tokens", {"name": "ci", "role": "admin"})
        assert response.headers["cache-control"] == "no-store"
        secrets.append(response.json()["token"])
        for path in ("/tokens", "/events", "/status"):
            assert secrets[0] not in (await desk.get(path)).text

    at_desk(story, f"sqlite+aiosqlite:///{file}")
    with sqlite3.connect(file) as connection:
        stored = "\n".join(connection.iterdump())
    connection.close()
    assert "'ci'" in stored
    assert secrets[0] not in stored


@pytest.mark.parametrize("body", [{"name": "x", "role": "root"}, {"name": " ", "role": "viewer"}, {"role": "viewer"}])
def test_a_token_without_a_name_or_a_known_role_is_not_made(body: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        assert (await desk.post("/tokens", body)).status_code == 422
        assert await desk.room.store.tokens() == []

    at_desk(story)


@pytest.mark.parametrize("role", ["viewer", "operator", "approver"])
def test_only_an_admin_makes_tokens(role: str) -> None:
    async def story(desk: Desk) -> None:
        token = await desk.token(role)
        assert (await desk.post("/tokens", {"name": "x", "role": "viewer"}, token=token)).status_code == 403
        assert (await desk.get("/tokens", token=token)).status_code == 403
        assert (await desk.send("DELETE", "/tokens/x", token=token)).status_code == 403

    at_desk(story)


def test_the_metrics_are_open_when_the_installation_says_so_and_nothing_else_is() -> None:
    async def story(desk: Desk) -> None:
        assert (await desk.get("/metrics", token=None)).status_code == 200
        assert (await desk.scrape(token=None)).status_code == 200
        assert (await desk.get("/config", token=None)).status_code == 401

    at_desk(story, public_metrics=True)


def test_who_guesses_is_held_up_and_nobody_else_is() -> None:
    async def story(desk: Desk) -> None:
        viewer = await desk.token("viewer")
        assert (await desk.get("/config", token=viewer)).status_code == 200
        answers = [await desk.get("/config", token=f"guess {number}") for number in range(BURST + 5)]
        assert [answer.status_code for answer in answers] == [401] * BURST + [429] * 5
        assert (kind(answers[-1]), answers[-1].headers["retry-after"]) == ("too-many-attempts", f"{SECONDS_EACH:.0f}")
        assert (await desk.get("/config", token=viewer)).status_code == 200, "who got in before is not held up"
        told = await desk.get("/config?language=ko", token="guess")
        assert (told.json()["title"], "6초 뒤" in told.json()["detail"]) == ("로그인에 너무 많이 실패했습니다", True)
        made_since = await desk.token("viewer", "made since")
        assert (await desk.get("/config", token=made_since)).status_code == 429, "an unknown token could be a guess"
        desk.room.clock.forward(SECONDS_EACH)
        assert (await desk.get("/config", token=made_since)).status_code == 200
        assert (await desk.get("/config", token="another guess")).status_code == 401
        assert (await desk.get("/config", token="another guess")).status_code == 429

    at_desk(story)


def test_an_unknown_token_that_comes_again_and_again_at_a_slow_pace_is_refused_and_nothing_else() -> None:
    async def story(desk: Desk) -> None:
        for _scrape in range(100):
            assert (await desk.scrape("revoked")).status_code == 401
            desk.room.clock.forward(SECONDS_EACH)

    at_desk(story)


def test_many_guesses_at_the_same_time_are_no_way_round() -> None:
    async def story(desk: Desk) -> None:
        guesses = [desk.get("/config", token=f"guess {number}") for number in range(3 * BURST)]
        answers = [answer.status_code for answer in await asyncio.gather(*guesses)]
        assert (answers.count(401), answers.count(429)) == (BURST, 2 * BURST)

    at_desk(story)


def test_every_answer_tells_browsers_to_keep_and_frame_nothing() -> None:
    async def story(desk: Desk) -> None:
        answers = [await desk.send(method, path) for method, path, *_ in ERRORS]
        answers += [
            await desk.get(path) for path in (*READS, "/tokens", "/reports/baseline?format=html", "/openapi.json")
        ]
        answers += [await desk.scrape(), await desk.get("/config", token=None)]
        answers.append(await desk.post("/config", content=b"x" * 70_000))
        assert {200, 401, 404, 405, 409, 413, 422} <= {answer.status_code for answer in answers}
        for answer in answers:
            headers = answer.headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "default-src 'none'" in headers["content-security-policy"]
            assert (headers["referrer-policy"], headers["x-frame-options"]) == ("no-referrer", "DENY")
            assert headers["cache-control"] == "no-store"

    at_desk(story)


def test_no_page_of_another_site_is_let_in() -> None:
    async def story(desk: Desk) -> None:
        asks = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
        for method, path in (("OPTIONS", "/config"), ("GET", "/config"), ("OPTIONS", "/rollout/start")):
            answer = await desk.send(method, path, headers=asks)
            assert not [name for name in answer.headers if name.startswith("access-control-")]

    at_desk(story)


ERRORS = (
    ("GET", "/nothing-here", 404, "not-found"),
    ("PUT", "/config", 405, "method-not-allowed"),
    ("GET", "/rollout", 404, "not-found"),
    ("GET", "/analysis", 404, "not-found"),
    ("DELETE", "/tokens/unknown", 404, "not-found"),
    ("GET", "/metrics?window=soon", 422, "invalid-input"),
    ("GET", "/metrics?window=1s", 422, "invalid-input"),
    ("GET", "/metrics?window=31d", 422, "invalid-input"),
    ("GET", "/metrics?endpoint=/nowhere", 404, "not-found"),
    ("GET", "/events?limit=0", 422, "invalid-input"),
    ("GET", "/events?after=-1", 422, "invalid-input"),
    ("GET", "/explain", 422, "invalid-input"),
    ("POST", "/rollout/pause", 409, "refused"),
)


def test_every_change_leaves_an_event_that_says_who_what_why_and_from_where() -> None:
    async def story(desk: Desk) -> None:
        changes: list[tuple[str, dict[str, Any]]] = [
            ("/config", {"canary_percentage": 5}),
            ("/rollout/start", {"plan": "demo", "force": True}),
            ("/rollout/pause", {}),
            ("/rollout/resume", {}),
            ("/config", {"endpoints": [{"template": "/hello", "enabled": False}]}),
            ("/drill", {"fault": "outage"}),
            ("/config", {"canary_percentage": 0}),
        ]
        for number, (path, body) in enumerate(changes):
            before = await desk.room.store.last_event_sequence()
            if path == "/rollout/pause":
                await desk.room.until(Phase.PROGRESSING)
            answer = await desk.post(path, {**body, "reason": f"reason {number}"})
            assert answer.is_success, (path, answer.text)
            told = [event for event in await desk.room.store.events(before) if event.actor == "alice"]
            assert [(event.reason, event.details["from"]) for event in told] == [(f"reason {number}", ADDRESS)], path

    at_desk(story)


def test_every_error_is_a_problem_with_a_stable_type() -> None:
    async def story(desk: Desk) -> None:
        for method, path, status, name in ERRORS:
            response = await desk.send(method, path)
            assert (path, response.status_code, kind(response)) == (path, status, name)
            assert set(response.json()) == {"type", "title", "status", "detail"}
            assert response.json()["status"] == status

    at_desk(story)


def test_a_store_that_is_away_is_said_in_one_word_and_without_its_address(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        away = Desk(desk.room.elsewhere(f"sqlite+aiosqlite:///{tmp_path / 'no-such-folder' / 'store.db'}"))
        response = await away.get("/config")
        assert (response.status_code, kind(response)) == (503, "store-unavailable")
        assert "retry-after" in response.headers
        assert "no-such-folder" not in response.text
        assert (await away.get("/config", token="unknown")).status_code == 503
        await away.room.store.database.close()

    at_desk(story)


def test_the_api_describes_itself() -> None:
    async def story(desk: Desk) -> None:
        document = (await desk.get("/openapi.json", token=None)).json()
        assert document["openapi"].startswith("3.")
        answers = document["paths"]["/admin/canary/config"]["post"]["responses"]
        assert list(answers["422"]["content"]) == ["application/problem+json"]
        steered = {path.rpartition("/")[2] for path in document["paths"] if "/rollout/" in path}
        assert steered == {"start", "pause", "resume", "approve", "advance", "promote", "hold", "rollback"}

    at_desk(story)
