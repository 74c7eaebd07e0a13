"""The console's own part of the server: its files, and the sessions of browsers."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from admin_desk import ADDRESS, ADMIN, Desk, at_desk, kind
from control_room import PLAN
from serinus.access import ORDER_HEADER, SESSION_COOKIE, SESSION_SECONDS
from serinus.asgi.protocol import Receive, Scope, Send
from serinus.attempts import BURST
from serinus.console.app import console_app
from serinus.console.files import static_files
from serinus.rollout.plan_mapping import plan_to_mapping
from serinus.rollout.state import Phase

OWN_PAGE = {ORDER_HEADER: "1", "Sec-Fetch-Site": "same-origin"}
CONFIG = "/admin/canary/config"


class Browser:
    """Keeps cookies, and sends them where their path says."""

    def __init__(self, desk: Desk, scheme: str = "http", root_path: str = "") -> None:
        console = console_app(desk.access, desk.room.clock)

        async def both(scope: Scope, receive: Receive, send: Send) -> None:
            below = str(scope["path"]).removeprefix(root_path)
            await (console if below.startswith("/console") else desk.app)(scope, receive, send)

        transport = httpx2.ASGITransport(app=both, client=(ADDRESS, 40_000), root_path=root_path)
        self.client = httpx2.AsyncClient(transport=transport, base_url=f"{scheme}://service")

    async def log_in(self, token: str = ADMIN, **headers: str) -> httpx2.Response:
        return await self.client.post("/console/session", json={"token": token}, headers={**OWN_PAGE, **headers})

    async def who(self) -> httpx2.Response:
        return await self.client.get("/console/session")

    async def log_out(self) -> httpx2.Response:
        return await self.client.delete("/console/session", headers=OWN_PAGE)


def in_browser(story: Callable[[Browser, Desk], Awaitable[None]]) -> None:
    async def told(desk: Desk) -> None:
        await story(Browser(desk), desk)

    at_desk(told)


def test_every_file_is_served_with_its_type_and_the_strictest_headers() -> None:
    async def story(browser: Browser, _: Desk) -> None:
        for path, file in static_files().items():
            response = await browser.client.get("/console" if path == "index.html" else f"/console/{path}")
            assert (path, response.status_code, response.content) == (path, 200, file.content)
            assert response.headers["content-type"] == file.media_type
            policy = response.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["x-frame-options"] == "DENY"
            assert response.headers["referrer-policy"] == "no-referrer"

    in_browser(story)


def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    async def story(browser: Browser, _: Desk) -> None:
        first = await browser.client.get("/console/main.js")
        assert first.headers["cache-control"] == "no-cache"
        tag = first.headers["etag"]
        again = await browser.client.get("/console/main.js", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        other = await browser.client.get("/console/main.js", headers={"If-None-Match": '"of-last-week"'})
        assert other.status_code == 200

    in_browser(story)


@pytest.mark.parametrize(
    "path", ["nothing.js", "index.html", "..%2fapp.py", "static/main.js", "vendor/uplot/LICENSE", "%00", "vendor/uplot"]
)
def test_nothing_else_is_served(path: str) -> None:
    async def story(browser: Browser, _: Desk) -> None:
        response = await browser.client.get(f"/console/{path}")
        assert (response.status_code, kind(response)) == (404, "not-found")
        assert response.headers["cache-control"] == "no-store"

    in_browser(story)


def test_a_slash_too_many_leads_to_the_page() -> None:
    async def story(browser: Browser, _: Desk) -> None:
        response = await browser.client.get("/console/", follow_redirects=True)
        assert (response.status_code, response.url.path) == (200, "/console")

    in_browser(story)


def test_a_token_is_taken_for_a_session_that_no_script_reads_and_the_service_never_sees() -> None:
    async def story(browser: Browser, desk: Desk) -> None:
        assert (await browser.who()).status_code == 204
        opened = await browser.log_in()
        ends_at = desk.room.clock() + SESSION_SECONDS
        assert opened.json() == {"name": "alice", "role": "admin", "expires_at_seconds": ends_at}
        cookies = opened.headers.get_list("set-cookie")
        assert {cookie.split("Path=")[1].split(";")[0] for cookie in cookies} == {"/console", "/admin/canary"}
        for cookie in cookies:
            assert cookie.startswith(f"{SESSION_COOKIE}=")
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
            assert f"Max-Age={SESSION_SECONDS:.0f}" in cookie
            assert "Secure" not in cookie
        assert ADMIN not in opened.text + str(cookies)
        assert (await browser.who()).json() == opened.json()
        assert (await browser.client.get(CONFIG)).status_code == 200

    in_browser(story)


def test_who_guesses_at_the_login_is_held_up_and_open_sessions_go_on() -> None:
    async def story(browser: Browser, desk: Desk) -> None:
        await browser.log_in()
        guesser = Browser(desk)
        answers = [await guesser.log_in(f"guess {number}") for number in range(BURST + 1)]
        assert [answer.status_code for answer in answers] == [401] * BURST + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await browser.client.get(CONFIG)).status_code == 200
        assert (await Browser(desk).log_in()).status_code == 200, "this token has got in before"

    in_browser(story)


def test_over_https_the_cookie_stays_there() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        opened = await Browser(desk, scheme="https").log_in()
        assert all("Secure" in cookie for cookie in opened.headers.get_list("set-cookie"))

    in_browser(story)


def test_a_mounted_service_keeps_its_cookies_below_its_mount() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        browser = Browser(desk, root_path="/shop")
        opened = await browser.client.post("/shop/console/session", json={"token": ADMIN}, headers=OWN_PAGE)
        paths = {cookie.split("Path=")[1].split(";")[0] for cookie in opened.headers.get_list("set-cookie")}
        assert paths == {"/shop/console", "/shop/admin/canary"}

    in_browser(story)


def test_a_session_orders_only_from_the_consoles_own_pages() -> None:
    async def story(browser: Browser, desk: Desk) -> None:
        await browser.log_in()
        before = await desk.state()
        forged: tuple[dict[str, str], ...] = (
            {},
            {"Sec-Fetch-Site": "same-origin"},
            {**OWN_PAGE, "Sec-Fetch-Site": "cross-site"},
        )
        for headers in forged:
            refused = await browser.client.post(CONFIG, json={"enabled": False}, headers=headers)
            assert (refused.status_code, kind(refused)) == (403, "forbidden")
        assert await desk.state() == before
        done = await browser.client.post(CONFIG, json={"enabled": False}, headers=OWN_PAGE)
        assert done.status_code == 200
        assert await desk.state() != before

    in_browser(story)


def test_nobody_is_logged_in_or_out_by_a_page_of_another_site() -> None:
    async def story(browser: Browser, _: Desk) -> None:
        elsewhere = {**OWN_PAGE, "Sec-Fetch-Site": "cross-site"}
        refused = await browser.client.post("/console/session", json={"token": ADMIN}, headers=elsewhere)
        assert refused.status_code == 403
        await browser.log_in()
        assert (await browser.client.delete("/console/session", headers=elsewhere)).status_code == 403
        assert (await browser.who()).status_code == 200

    in_browser(story)


def test_logging_out_ends_the_session_and_not_only_the_cookie() -> None:
    async def story(browser: Browser, _: Desk) -> None:
        secret = (await browser.log_in()).cookies.get(SESSION_COOKIE, path="/console")
        assert (await browser.log_out()).status_code == 204
        assert (await browser.who()).status_code == 204
        kept = {"Cookie": f"{SESSION_COOKIE}={secret}"}
        assert (await browser.client.get(CONFIG, headers=kept)).status_code == 401
        assert (await browser.log_out()).status_code == 204

    in_browser(story)


def test_a_session_ends_with_its_token() -> None:
    async def story(browser: Browser, desk: Desk) -> None:
        made = (await desk.post("/tokens", {"name": "bob", "role": "operator"})).json()
        assert (await browser.log_in(made["token"])).json()["name"] == "bob"
        await desk.send("DELETE", f"/tokens/{made['id']}")
        over = await browser.who()
        assert over.status_code == 204
        assert all("Max-Age=0" in cookie for cookie in over.headers.get_list("set-cookie"))

    in_browser(story)


@pytest.mark.parametrize("token", ["wrong", ADMIN + "x", "안녕"])
def test_a_token_that_is_not_known_opens_nothing(token: str) -> None:
    async def story(browser: Browser, _: Desk) -> None:
        refused = await browser.log_in(token)
        assert (refused.status_code, kind(refused)) == (401, "unauthenticated")
        assert "set-cookie" not in refused.headers

    in_browser(story)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"token": 1}', b'{"token": " "}', b"\xff", b"[" * 4_000, b'{"token": "' + b"x" * 5_000]
)
def test_what_is_no_token_is_refused_as_an_input(body: bytes) -> None:
    async def story(browser: Browser, _: Desk) -> None:
        refused = await browser.client.post("/console/session", content=body, headers=OWN_PAGE)
        assert (refused.status_code, kind(refused)) == (422, "invalid-input")

    in_browser(story)


def test_an_order_for_what_a_page_no_longer_shows_is_refused() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        await desk.post("/rollout/start", {"plan": plan_to_mapping(PLAN)})
        seen = (await desk.get("/rollout")).headers["etag"]
        await desk.room.until(Phase.PROGRESSING)
        late = await desk.post("/rollout/pause", headers={"If-Match": seen})
        assert (late.status_code, kind(late)) == (409, "stale-revision")
        standing = (await desk.get("/rollout")).json()["standing"]
        await desk.room.second()  # ticks alone leave it as it is
        done = await desk.post("/rollout/pause", headers={"If-Match": f'"{standing}"'})
        assert (done.status_code, done.json()["phase"]) == (200, "paused")
        again = await desk.post("/rollout/resume", headers={"If-Match": f'"{standing}"'})
        assert again.status_code == 409

    in_browser(story)


async def users(desk: Desk, language: str = "en") -> Any:
    return (await desk.get("/status", params={"language": language})).json()["users"]


def test_the_status_says_first_whether_users_are_hurt() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        assert (await users(desk))["state"] == "on_legacy"
        plan = plan_to_mapping(PLAN)
        await desk.post("/rollout/start", {"plan": plan | {"steps": [{"percentage": 20, "bake": "10m"}]}})
        room = desk.room
        await room.until(Phase.PROGRESSING)
        await room.second()
        assert (await users(desk))["state"] in {"unclear", "unwatched"}
        for _second in range(8):
            await room.second()
        assert (await users(desk))["state"] == "fine"
        room.clock.forward(60)
        told = await users(desk, "ko")
        assert told["state"] == "unwatched"
        assert "20 %" in told["message"]
        await room.second()
        room.new.status = room.legacy.status = 500
        for _second in range(4):
            await room.second()
        assert (await users(desk))["state"] in {"hurt_by_both", "hurt"}
        await desk.post("/rollout/rollback")
        assert (await users(desk))["state"] == "going_back"

    in_browser(story)


def test_a_share_that_a_person_has_set_is_said_to_be_judged_by_nobody() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 30})
        told = await users(desk)
        assert (told["state"], "30 %" in told["message"]) == ("unjudged", True)

    in_browser(story)


def test_what_hurts_users_is_named_with_its_metric() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        held = plan_to_mapping(PLAN) | {"client_errors": "hold", "steps": [{"percentage": 50, "bake": "10m"}]}
        await desk.post("/rollout/start", {"plan": held})
        await desk.room.until(Phase.PROGRESSING)
        desk.room.new.status = 404
        for _second in range(6):
            await desk.room.second(200)
        told = await users(desk)
        assert (told["state"], told["about"]) == ("hurt", "client_error_rate")
        assert "proven worse" in told["finding"]

    in_browser(story)


def test_a_rollout_that_has_succeeded_is_no_canary_that_nobody_judges() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        await desk.post("/rollout/start", {"plan": plan_to_mapping(PLAN)})
        await desk.room.until(Phase.SUCCEEDED)
        assert (await users(desk))["state"] == "promoted"
        await desk.post("/config", {"canary_percentage": 60})
        assert (await users(desk))["state"] == "unjudged"

    in_browser(story)


def test_the_plans_that_ship_can_be_looked_at_before_a_start() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        plans = {plan["name"]: plan for plan in (await desk.get("/plans")).json()["plans"]}
        assert [step["percentage"] for step in plans["phase4"]["steps"]] == [5, 10, 25, 50]
        started = await desk.post("/rollout/start", {"source": plans["phase4"]["source"]})
        assert started.json()["plan"] == "phase4"

    in_browser(story)


def test_a_timeline_and_the_endpoints_come_with_intervals_around_what_they_say() -> None:
    async def story(_: Browser, desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 50})
        await desk.room.agent.beat()
        for _second in range(3):
            await desk.room.second(200)
        points = (await desk.get("/timeline", params={"window": "1m"})).json()["points"]
        measured = [point["canary"] for point in points if point["canary"]["request_count"]]
        assert measured
        for version in measured:
            low, high = version["error_rate_interval"]
            assert 0 <= low <= version["error_rate"] <= high <= 1
        assert any(version["p95_interval_ms"] for version in measured)
        [endpoint] = (await desk.get("/metrics")).json()["endpoints"].values()
        low, high = endpoint["comparison"]["intervals"]["error_rate_difference"]
        assert low <= endpoint["comparison"]["error_rate_difference"] <= high

    in_browser(story)
