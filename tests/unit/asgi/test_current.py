"""`serinus.current_version`: an application that is both versions asks who it is."""

import asyncio
import weakref
from contextvars import Context, copy_context

import pytest

from serinus import Canary, DeploymentVersion, Options, Outcome, Split, current_version, subject
from serinus.asgi.breaker import BreakerLimits
from serinus.asgi.protocol import Message, Receive, Scope, Send
from unit.asgi.wire import CANARY, EVERYBODY, LEGACY, Wire, chunks_of, echo, http_scope, outcomes


class Both:
    """Notes who it is, asked in a thread that a task started, and fails as the canary if told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.was: list[DeploymentVersion] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        version = await asyncio.create_task(asyncio.to_thread(current_version))
        self.was.append(version)
        if self.fails and version is CANARY:
            raise ZeroDivisionError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def asked(
    app: Both, *methods: str, split: Split = EVERYBODY, options: Options | None = None
) -> tuple[Canary, list[str]]:
    """The versions that the answers name, one for each request."""
    canary = Canary(app, app, subject=subject.header("x-user-id"), options=options or Options(endpoints=("/thing",)))
    canary.adopt(split)

    async def story() -> list[str]:
        versions = []
        for method in methods:
            wire = Wire()
            try:
                await canary(http_scope(method=method), wire.receive, wire.send)
            except ZeroDivisionError:
                versions.append("raised")
            else:
                versions.append(wire.headers.get(b"x-deployment-version", b"none").decode())
        return versions

    return canary, asyncio.run(story())


@pytest.mark.parametrize(("percentage", "version"), [(0, LEGACY), (100, CANARY)])
def test_it_is_the_version_that_the_answer_names_and_that_is_counted(
    percentage: float, version: DeploymentVersion
) -> None:
    app = Both()
    canary, named = asked(app, "GET", "POST", split=Split(revision=1, enabled=True, percentage=percentage))
    assert app.was == [version, version]
    assert named == [version.value, version.value]
    assert outcomes(canary, "/thing") == {(version, Outcome.OK): 2}
    assert current_version() is LEGACY


def test_the_second_answer_to_a_request_that_the_canary_failed_is_legacys() -> None:
    app = Both(fails=True)
    canary, named = asked(app, "GET")
    assert app.was == [CANARY, LEGACY]
    assert named == ["legacy"]
    assert outcomes(canary, "/thing") == {(CANARY, Outcome.FAILED): 1}


def test_while_the_breaker_keeps_the_canary_back_it_is_legacy() -> None:
    app = Both(fails=True)
    limits = BreakerLimits(failures=3, probe_after_seconds=600)
    canary, named = asked(app, *["POST"] * 5, options=Options(endpoints=("/thing",), breaker=limits))
    assert app.was == [CANARY] * 3 + [LEGACY] * 2
    assert named == ["raised"] * 3 + ["legacy"] * 2
    assert outcomes(canary, "/thing") == {(CANARY, Outcome.FAILED): 3, (LEGACY, Outcome.OK): 2}


def test_it_is_legacy_for_paths_that_never_take_part() -> None:
    app = Both()
    asked(app, "GET", options=Options(endpoints=("/thing",), exclude=("/thing",)))
    assert app.was == [LEGACY]


@pytest.mark.parametrize("version", [LEGACY, CANARY])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("timeout_seconds", [None, 60])
def test_a_timer_that_a_server_sets_while_it_sends_keeps_who_answers_and_nothing_else_of_the_request(
    version: DeploymentVersion, method: str, timeout_seconds: float | None
) -> None:
    kept: list[Context] = []

    async def set_timer(_message: Message) -> None:
        kept.append(copy_context())

    async def story() -> "weakref.ref[Wire]":
        wire = Wire(chunks_of(b"{}"), on_send=set_timer)
        await asyncio.create_task(canary(http_scope(method=method), wire.receive, wire.send))
        assert wire.body == b"{}"
        return weakref.ref(wire)

    options = Options(endpoints=("/thing",), timeout_seconds=timeout_seconds)
    canary = Canary(echo, echo, subject=subject.header("x-user-id"), options=options)
    canary.adopt(Split(revision=1, enabled=True, percentage=100 if version is CANARY else 0))
    assert asyncio.run(story())() is None
    assert [context.run(current_version) for context in kept] == [version, version]
