"""Websockets: routed once, at the handshake; judged by how they end."""

import asyncio

import pytest

from serinus.asgi import Canary, Options, subject
from serinus.asgi.protocol import Application, Message, Receive, Scope, Send
from serinus.metrics.snapshot import Outcome
from unit.asgi.wire import CANARY, EVERYBODY, Dial, Wire, answering, call, cells, hanging, raising, websocket_scope

CONNECT: Message = {"type": "websocket.connect"}
GONE: Message = {"type": "websocket.disconnect", "code": 1001}


def played(
    app: Application, *sent: Message, timer: Dial | None = None, options: Options | None = None
) -> tuple[Canary, Wire]:
    canary = Canary(answering(), app, subject=subject.header("x-user-id"), options=options, timer=timer or Dial())
    canary.adopt(EVERYBODY)
    wire = Wire([CONNECT, *sent])
    try:
        asyncio.run(call(canary, websocket_scope(), wire=wire))
    finally:
        assert canary.canary_in_flight == 0
    return canary, wire


def ended(canary: Canary) -> tuple[Outcome, int]:
    cell = cells(canary)[CANARY, "(other)"]
    return next(iter(cell.outcomes)), next(iter(cell.statuses))


def says(*messages: Message) -> Application:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in messages:
            await send(message)

    return app


def test_an_accepted_websocket_says_its_version_and_its_latency_is_the_handshake() -> None:
    timer = Dial()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        timer.now = 0.5
        await send({"type": "websocket.accept", "headers": [(b"x-mine", b"1")]})
        timer.now = 3600.0
        assert await receive() == GONE

    canary, wire = played(app, GONE, timer=timer)
    assert wire.sent[0]["headers"] == [(b"x-mine", b"1"), (b"x-deployment-version", b"canary")]
    cell = cells(canary)[CANARY, "(other)"]
    assert (cell.outcomes, cell.statuses, cell.latency_sum_seconds) == ({Outcome.OK: 1}, {101: 1}, 0.5)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (1000, Outcome.OK),
        (4001, Outcome.OK),
        (1008, Outcome.CLIENT_ERROR),
        (1011, Outcome.FAILED),
        (1013, Outcome.FAILED),
    ],
)
def test_the_code_of_the_applications_close_is_the_outcome(code: int, outcome: Outcome) -> None:
    canary, _ = played(says({"type": "websocket.accept"}, {"type": "websocket.close", "code": code}))
    assert ended(canary) == (outcome, 101)


def test_a_close_without_an_accept_is_a_rejection() -> None:
    canary, _ = played(says({"type": "websocket.close"}))
    assert ended(canary) == (Outcome.CLIENT_ERROR, 403)


@pytest.mark.parametrize(("status", "outcome"), [(401, Outcome.CLIENT_ERROR), (503, Outcome.FAILED)])
def test_a_handshake_that_is_answered_in_http_counts_by_its_status(status: int, outcome: Outcome) -> None:
    start = {"type": "websocket.http.response.start", "status": status, "headers": []}
    canary, wire = played(says(start, {"type": "websocket.http.response.body", "body": b"no"}))
    assert ended(canary) == (outcome, status)
    assert wire.version == "canary"


def test_an_exception_in_the_handshake_or_later_is_a_failure_and_reaches_the_server() -> None:
    async def later(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise ZeroDivisionError

    for app, status in ((raising(ZeroDivisionError()), 500), (later, 101)):
        canary = Canary(answering(), app, subject=subject.header("x-user-id"))
        canary.adopt(EVERYBODY)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(call(canary, websocket_scope(), wire=Wire([CONNECT])))
        assert ended(canary) == (Outcome.FAILED, status)


def test_an_exception_because_the_client_closed_is_no_failure() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        raise ConnectionError("as frameworks do")

    canary = Canary(answering(), app, subject=subject.header("x-user-id"))
    canary.adopt(EVERYBODY)
    with pytest.raises(ConnectionError):
        asyncio.run(call(canary, websocket_scope(), wire=Wire([CONNECT, GONE])))
    assert ended(canary) == (Outcome.OK, 101)


def test_a_client_that_leaves_in_the_handshake_is_cancelled() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()

    canary, _ = played(app, GONE)
    assert ended(canary)[0] is Outcome.CANCELLED


def test_a_websocket_that_is_not_accepted_in_time_is_rejected() -> None:
    options = Options(timeout_seconds=0.03)
    canary = Canary(answering(), hanging, subject=subject.header("x-user-id"), options=options)
    canary.adopt(EVERYBODY)
    wire = Wire([CONNECT])
    asyncio.run(call(canary, websocket_scope(), wire=wire))
    assert wire.sent == [{"type": "websocket.close", "code": 1013}]
    assert ended(canary) == (Outcome.FAILED, 504)


def test_a_subject_that_needs_a_body_is_not_looked_for_in_a_websocket() -> None:
    canary = Canary(says({"type": "websocket.accept"}), hanging, subject=subject.json_field("user_id"))
    canary.adopt(EVERYBODY)
    wire = Wire([CONNECT])
    asyncio.run(call(canary, websocket_scope(), wire=wire))
    assert wire.sent[0]["headers"] == [(b"x-deployment-version", b"legacy")]
