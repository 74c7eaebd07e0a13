"""What one request becomes: who answers it, what is counted, what the client sees."""

import asyncio
import subprocess
import sys
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.asgi import Canary, Options, subject
from serinus.asgi.protocol import Application, Message, Receive, Scope, Send
from serinus.metrics.snapshot import Outcome
from serinus.routing.split import EndpointRule, Split
from unit.asgi.wire import (
    CANARY,
    EVERYBODY,
    LEGACY,
    Dial,
    Wire,
    answer,
    answering,
    call,
    cells,
    get,
    http_scope,
    raising,
)

UNSAFE = Options(safe_methods=frozenset())
LEGACY_PINNED = Split(enabled=True, percentage=100, pins=MappingProxyType({"ada": LEGACY}))


def canary_app(
    canary: Application, legacy: Application | None = None, options: Options = UNSAFE, timer: Dial | None = None
) -> Canary:
    """Everybody gets the canary, and nothing falls back."""
    app = Canary(
        legacy=legacy or answering(b"legacy"),
        canary=canary,
        subject=subject.header("x-user-id"),
        options=options,
        clock=Dial(1000.0),
        timer=timer or Dial(),
    )
    app.adopt(EVERYBODY)
    return app


def ended(app: Canary) -> tuple[Outcome, int]:
    """Outcome and status of the one canary request."""
    (cell,) = cells(app).values()
    ((outcome, count),) = cell.outcomes.items()
    ((status, _),) = cell.statuses.items()
    assert count == 1
    return outcome, status


def test_each_user_is_answered_by_the_version_that_the_split_gives_and_is_told() -> None:
    app = canary_app(answering(b"new"))
    assert (get(app).body, get(app).version) == (b"new", "canary")
    app.adopt(LEGACY_PINNED)
    assert (get(app).body, get(app).version) == (b"legacy", "legacy")


def test_without_a_split_everybody_gets_legacy() -> None:
    app = Canary(answering(b"legacy"), answering(b"new"), subject=subject.header("x-user-id"))
    assert get(app).body == b"legacy"


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (200, [], Outcome.OK),
        (304, [], Outcome.OK),
        (404, [], Outcome.CLIENT_ERROR),
        (429, [(b"x-serinus-outcome", b"degraded")], Outcome.CLIENT_ERROR),
        (200, [(b"x-serinus-outcome", b"degraded")], Outcome.DEGRADED),
        (200, [(b"x-serinus-outcome", b"fine")], Outcome.OK),
        (500, [], Outcome.FAILED),
        (503, [(b"x-serinus-outcome", b"degraded")], Outcome.FAILED),
    ],
)
def test_the_outcome_is_what_the_answer_says(status: int, headers: list[tuple[bytes, bytes]], outcome: Outcome) -> None:
    app = canary_app(answering(b"", status, headers))
    assert get(app).status == status
    assert ended(app) == (outcome, status)


def test_the_mark_of_a_degraded_answer_is_taken_off_and_a_false_version_is_replaced() -> None:
    headers = [(b"x-serinus-outcome", b"degraded"), (b"x-deployment-version", b"other"), (b"x-mine", b"1")]
    assert get(canary_app(answering(b"", 200, headers))).start["headers"] == [
        (b"x-mine", b"1"),
        (b"x-deployment-version", b"canary"),
    ]


def test_the_applications_own_message_and_headers_are_left_alone() -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x-serinus-outcome", b"degraded")]}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    for _ in range(2):
        get(canary_app(app))
    assert start == {"type": "http.response.start", "status": 200, "headers": [(b"x-serinus-outcome", b"degraded")]}


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20)), max_size=6))
def test_any_header_bytes_of_the_application_pass_unchanged(headers: list[tuple[bytes, bytes]]) -> None:
    ours = {b"x-serinus-outcome", b"x-deployment-version", b"x-canary-fallback"}
    wire = get(canary_app(answering(b"", 200, headers)))
    assert wire.start["headers"][:-1] == [pair for pair in headers if pair[0] not in ours]


def test_an_answer_without_headers_is_an_answer() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    assert get(canary_app(app)).headers == {b"x-deployment-version": b"canary"}


def test_an_exception_is_a_failure_and_reaches_the_server() -> None:
    app = canary_app(raising(ZeroDivisionError("boom")))
    with pytest.raises(ZeroDivisionError, match="boom"):
        get(app)
    assert ended(app) == (Outcome.FAILED, 500)


def test_an_exception_in_the_middle_of_a_stream_is_a_failure() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        raise OSError("the disk is gone")

    canary = canary_app(app)
    with pytest.raises(OSError, match="disk"):
        get(canary)
    assert ended(canary) == (Outcome.FAILED, 200)


def test_an_exception_after_the_whole_answer_reaches_the_server_and_changes_no_outcome() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200)
        raise RuntimeError("in the background")

    canary = canary_app(app)
    with pytest.raises(RuntimeError):
        get(canary)
    assert ended(canary) == (Outcome.OK, 200)


def test_an_application_that_returns_without_an_answer_has_failed() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    canary = canary_app(app)
    get(canary)
    assert ended(canary) == (Outcome.FAILED, 500)


def test_a_client_that_leaves_before_the_answer_is_nobodys_failure() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        raise ConnectionError("as frameworks do when the client is gone")

    async def scenario() -> None:
        wire = Wire()
        wire.over.set()
        with pytest.raises(ConnectionError):
            await call(canary, wire=wire)

    canary = canary_app(app)
    asyncio.run(scenario())
    assert ended(canary)[0] is Outcome.CANCELLED


def test_a_client_that_leaves_during_a_stream_is_cancelled_when_the_server_says_so_in_send() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})

    async def gone(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the client is gone")

    async def scenario() -> None:
        with pytest.raises(OSError, match="gone"):
            await call(canary, wire=Wire(on_send=gone))

    canary = canary_app(app)
    asyncio.run(scenario())
    assert ended(canary) == (Outcome.CANCELLED, 200)


def test_a_failure_that_the_client_was_told_stays_one_when_it_leaves() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await receive()
        await send({"type": "http.response.body", "body": b"1"})

    async def scenario() -> None:
        wire = Wire()
        wire.over.set()
        await call(canary, wire=wire)

    canary = canary_app(app)
    asyncio.run(scenario())
    assert ended(canary) == (Outcome.FAILED, 500)


def test_the_disconnect_that_servers_report_after_the_answer_is_no_client_leaving() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200)
        assert (await receive())["type"] == "http.disconnect"

    canary = canary_app(app)
    asyncio.run(call(canary, wire=Wire()))
    assert ended(canary) == (Outcome.OK, 200)


def test_a_server_that_shuts_down_cancels_and_is_not_kept_from_it() -> None:
    async def scenario() -> None:
        started = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            started.set()
            await asyncio.Event().wait()

        canary.canary = app
        task = asyncio.create_task(call(canary))
        await started.wait()
        assert canary.canary_in_flight == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert canary.canary_in_flight == 0

    canary = canary_app(answering())
    asyncio.run(scenario())
    assert ended(canary)[0] is Outcome.CANCELLED


def test_endpoints_are_route_templates_and_switch_the_canary_one_by_one() -> None:
    app = canary_app(answering(), options=Options(endpoints=("/users/{id}", "/orders")))
    app.adopt(Split(enabled=True, percentage=100, endpoints=(EndpointRule("/orders", enabled=False),)))
    assert [get(app, path).version for path in ("/users/7", "/orders/", "/else")] == ["canary", "legacy", "canary"]
    assert set(cells(app)) == {(CANARY, "/users/{id}"), (LEGACY, "/orders"), (CANARY, "(other)")}


@pytest.mark.parametrize(
    ("root_path", "path", "endpoint"),
    [
        ("/api", "/api/users/7", "/users/{id}"),
        ("/api/", "/api/users/7", "/users/{id}"),
        ("/api", "/users/7", "/users/{id}"),
        ("/us", "/users/7", "/users/{id}"),
        ("/api", "/api", "/"),
    ],
)
def test_templates_begin_where_the_application_is_mounted(root_path: str, path: str, endpoint: str) -> None:
    app = canary_app(answering(), options=Options(endpoints=("/users/{id}", "/")))
    asyncio.run(call(app, {**http_scope(path), "root_path": root_path}))
    assert set(cells(app)) == {(CANARY, endpoint)}


@pytest.mark.parametrize("path", ["/health", "/docs/oauth2", "/admin/canary/config", "/metrics/"])
def test_what_is_excluded_goes_to_legacy_untouched_and_is_never_counted(path: str) -> None:
    app = canary_app(answering(b"new"))
    wire = get(app, path)
    assert (wire.body, wire.headers) == (b"legacy", {})
    assert cells(app) == {}


@pytest.mark.parametrize("template", ["/{page}", "/{area}/{page}", "/docs/{page}", "/d{page}", "/docs", "/{rest:path}"])
@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/oauth2"])
def test_an_excluded_path_is_so_whatever_template_it_matches(template: str, path: str) -> None:
    app = canary_app(answering(b"new"), options=Options(endpoints=(template,)))
    assert get(app, path).body == b"legacy"
    assert cells(app) == {}


def test_what_merely_begins_like_an_excluded_path_takes_part() -> None:
    assert get(canary_app(answering()), "/healthcare").version == "canary"


def test_only_requests_that_the_bucket_decided_are_compared() -> None:
    app = canary_app(answering())
    get(app)
    assert [key.compared for key in app.collector.drain()] == [True]
    app.adopt(Split(enabled=True, percentage=100, pins=MappingProxyType({"ada": CANARY})))
    get(app)
    assert [key.compared for key in app.collector.drain()] == [False]


def test_it_knows_when_the_canary_was_last_used() -> None:
    app = canary_app(answering())
    assert app.last_canary_at is None
    get(app)
    assert app.last_canary_at == 1000.0


def test_the_latency_lasts_until_the_first_piece_of_the_body() -> None:
    timer = Dial()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        timer.now = 1.5
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        timer.now = 90.0
        await send({"type": "http.response.body", "body": b"2"})

    canary = canary_app(app, timer=timer)
    get(canary)
    assert cells(canary)[CANARY, "(other)"].latency_sum_seconds == 1.5


def test_the_latency_of_an_event_stream_lasts_until_it_begins() -> None:
    timer = Dial()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        timer.now = 0.25
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        timer.now = 60.0
        await send({"type": "http.response.body", "body": b"data: 1\n\n"})

    canary = canary_app(app, timer=timer)
    get(canary)
    assert cells(canary)[CANARY, "(other)"].latency_sum_seconds == 0.25


def test_finding_the_subject_is_part_of_the_latency() -> None:
    timer = Dial()

    def looks_up(scope: Scope, body: bytes | None) -> str | None:
        timer.now += 0.5
        return "ada"

    app = Canary(answering(), answering(), subject=looks_up, timer=timer)
    get(app)
    assert cells(app)[LEGACY, "(other)"].latency_sum_seconds == 0.5


def test_ten_failures_of_three_users_open_the_breaker_and_legacy_answers_uncompared() -> None:
    app = canary_app(answering(status=500))
    for user in b"abcabcabca":
        assert get(app, headers=[(b"x-user-id", bytes([user]))]).version == "canary"
    assert app.breaker.is_open
    app.collector.drain()
    assert get(app).version == "legacy"
    counted = app.collector.drain()
    assert [(key.version, key.compared) for key in counted] == [(LEGACY, False)]
    assert [sum(cell.slot_others) for cell in counted.values()] == [1]
    assert [(event.opened, event.at) for event in app.take_breaker_events()] == [(True, 1000.0)]


def test_an_open_breaker_lets_one_request_at_a_time_try_and_closes_on_good_answers() -> None:
    clock = Dial(1000.0)
    app = Canary(answering(), answering(status=500), subject=subject.header("x-user-id"), options=UNSAFE, clock=clock)
    app.adopt(EVERYBODY)
    for _ in range(10):
        get(app)
    clock.now += 5.0
    app.canary = answering()
    assert [get(app).version for _ in range(6)] == ["canary"] * 6
    assert [event.opened for event in app.take_breaker_events()] == [True, False]
    assert not app.breaker.is_open


def test_another_rollout_and_another_start_begin_with_a_closed_breaker() -> None:
    for again in (Split(2, enabled=True, percentage=50, salt="next"), Split(3, enabled=True, percentage=50)):
        app = dead_canary()
        app.adopt(Split(2))
        app.adopt(again)
        assert not app.breaker.is_open


def test_another_share_and_a_pause_for_want_of_word_leave_the_breaker_open() -> None:
    app = dead_canary()
    for split in (Split(2, enabled=True, percentage=50), Split(), Split(2, enabled=True, percentage=50)):
        app.adopt(split)
        assert app.breaker.is_open


def dead_canary() -> Canary:
    app = canary_app(answering(status=500))
    for _ in range(10):
        get(app)
    assert app.breaker.is_open
    return app


def test_a_scope_that_is_neither_http_nor_websocket_is_legacys_matter() -> None:
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    asyncio.run(call(canary_app(answering(), legacy=app), {"type": "mqtt", "path": "/"}))
    assert seen == ["mqtt"]


@pytest.mark.parametrize("module", ["serinus", "serinus.asgi"])
def test_importing_it_loads_no_framework_and_no_database(module: str) -> None:
    heavy = {"fastapi", "pydantic", "sqlalchemy", "numpy", "starlette"}
    code = f"import sys, {module}; {module}.Canary; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
