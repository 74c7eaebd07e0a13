"""A failed canary answer to a safe request is answered by legacy; the failure is counted, legacy's run is not."""

import asyncio
import logging

import pytest

from serinus.asgi import Canary, Options, subject
from serinus.asgi.protocol import Application, Receive, Scope, Send
from serinus.metrics.snapshot import Outcome
from unit.asgi.wire import (
    CANARY,
    EVERYBODY,
    Dial,
    Wire,
    answer,
    answering,
    call,
    echo,
    get,
    http_scope,
    outcomes,
    post,
    raising,
)

FAILED_ONCE = {(CANARY, Outcome.FAILED): 1}


def protected(canary: Application, legacy: Application | None = None, options: Options | None = None) -> Canary:
    legacy = legacy or answering(b"legacy", headers=[(b"x-mine", b"1")])
    app = Canary(legacy=legacy, canary=canary, subject=subject.header("x-user-id"), options=options, clock=Dial())
    app.adopt(EVERYBODY)
    return app


async def reads_half_and_fails(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    scope["path_params"] = {"left": "behind"}
    await answer(send, 500, b"broken")


async def fails_and_raises(scope: Scope, receive: Receive, send: Send) -> None:
    """As Starlette does: an answer first, then the exception for the server's log."""
    await answer(send, 500, b"broken")
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "canary", [answering(b"no", 503), raising(ZeroDivisionError()), fails_and_raises, reads_half_and_fails]
)
def test_a_failed_canary_answer_is_answered_by_legacy(canary: Application) -> None:
    app = protected(canary)
    wire = get(app)
    assert (wire.status, wire.body, wire.headers) == (
        200,
        b"legacy",
        {b"x-mine": b"1", b"x-deployment-version": b"legacy", b"x-canary-fallback": b"1"},
    )
    assert outcomes(app) == FAILED_ONCE


def test_an_application_that_does_not_answer_is_answered_for() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None: ...

    app = protected(silent)
    assert get(app).body == b"legacy"
    assert outcomes(app) == FAILED_ONCE


def test_the_exception_of_the_canary_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    get(protected(raising(ZeroDivisionError("boom"))))
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.exc_info is not None
    assert "boom" in str(record.exc_info[1])


def test_a_good_answer_and_a_client_error_are_the_canarys_own() -> None:
    assert get(protected(answering(b"new"))).headers == {b"x-deployment-version": b"canary"}
    assert get(protected(answering(b"new", 404))).status == 404


def test_what_is_not_declared_safe_keeps_its_failure() -> None:
    app = protected(answering(b"broken", 500))
    wire = asyncio.run(call(app, http_scope(method="POST")))
    assert (wire.status, wire.body, wire.version) == (500, b"broken", "canary")


@pytest.mark.parametrize("canary", [reads_half_and_fails, answering(b"never asked", 500)])
def test_an_endpoint_that_is_declared_safe_falls_back_with_its_whole_body(canary: Application) -> None:
    options = Options(endpoints=("/search/{kind}",), safe_endpoints=frozenset({"/search/{kind}"}))
    app = protected(canary, echo, options)
    wire = post(app, b"first ", b"second", path="/search/all", headers=[(b"x-user-id", b"ada")])
    assert (wire.body, wire.headers[b"x-pieces"]) == (b"first second", b"[6, 6]")


def test_a_body_that_was_too_large_to_keep_keeps_its_failure() -> None:
    options = Options(safe_methods=frozenset({"POST"}), body_limit_bytes=10)
    app = protected(reads_half_and_fails, echo, options)
    wire = post(app, b"x" * 11, b"y", headers=[(b"x-user-id", b"ada")])
    assert (wire.status, wire.version) == (500, "canary")
    assert outcomes(app) == FAILED_ONCE


def test_what_has_begun_cannot_be_taken_back() -> None:
    async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    app = protected(breaks_off)
    with pytest.raises(ZeroDivisionError):
        get(app)
    assert outcomes(app) == FAILED_ONCE


def test_legacy_gets_the_scope_as_it_came() -> None:
    seen: list[Scope] = []

    async def legacy(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await answer(send)

    async def canary(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = {"a": 1}
        scope["state"]["user"] = "canary's"
        raise ZeroDivisionError

    asyncio.run(call(protected(canary, legacy), {**http_scope(), "state": {"request": 1}}))
    assert seen == [{**http_scope(), "state": {"request": 1}}]


def test_a_client_that_has_left_is_not_answered_again() -> None:
    async def hears_it(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise ConnectionError

    async def scenario() -> None:
        wire = Wire()
        wire.over.set()
        with pytest.raises(ConnectionError):
            await call(app, wire=wire)

    app = protected(hears_it)
    asyncio.run(scenario())
    assert outcomes(app) == {(CANARY, Outcome.CANCELLED): 1}


def test_the_canary_hears_that_its_connection_is_over_and_legacy_hears_the_client() -> None:
    heard = []

    async def listens_on(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 500)
        heard.append((await receive())["type"])

    app = protected(listens_on, echo, Options(safe_methods=frozenset({"POST"})))
    wire = post(app, b"the body", headers=[(b"x-user-id", b"ada")])
    assert heard == ["http.disconnect"]
    assert wire.body == b"the body"


def test_legacys_own_failure_in_its_place_reaches_the_client() -> None:
    app = protected(raising(ZeroDivisionError()), answering(b"both", 502))
    assert (get(app).status, get(app).body) == (502, b"both")
    with pytest.raises(KeyError):
        get(protected(raising(ZeroDivisionError()), raising(KeyError())))


def test_the_breaker_counts_failures_that_legacy_made_good() -> None:
    app = protected(answering(status=500))
    for _ in range(10):
        get(app)
    assert app.breaker.is_open


def test_headers_that_the_canary_added_to_the_request_are_not_legacys() -> None:
    async def adds_and_fails(scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"].append((b"x-internal", b"1"))
        raise ZeroDivisionError

    async def names(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, b",".join(name for name, _ in scope["headers"]))

    assert get(protected(adds_and_fails, names)).body == b"x-user-id"
