"""Requests that take long: counted while they last, and interrupted, by one timer for all of them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest

from serinus.asgi import Canary, Options, Subject, subject
from serinus.asgi.in_flight import InFlight
from serinus.asgi.protocol import Application, Message, Receive, Scope, Send
from serinus.metrics.snapshot import Outcome
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
    chunks_of,
    echo,
    hanging,
    http_scope,
    outcomes,
)

SOON = Options(timeout_seconds=0.03, safe_methods=frozenset())


def impatient(canary: Application, legacy: Application | None = None, options: Options = SOON) -> Canary:
    app = Canary(legacy or answering(b"legacy"), canary, subject=subject.header("x-user-id"), options=options)
    app.adopt(EVERYBODY)
    return app


def timed(app: Application, timer: Dial, timeout_seconds: float | None = None) -> tuple[Canary, InFlight]:
    """LEGACY alone, by a timer that stands still, and the requests in flight, to be looked after by hand."""
    options = Options(timeout_seconds=timeout_seconds)
    canary = Canary(app, app, subject=subject.header("x-user-id"), options=options, clock=timer, timer=timer)
    return canary, canary._flight


def slow_counts(flight: InFlight) -> tuple[int, int]:
    drained = flight.collector.drain().values()
    return sum(cell.slow_opened for cell in drained), sum(cell.slow_closed for cell in drained)


def test_a_request_counts_as_slow_once_it_has_been_in_flight_for_over_two_seconds() -> None:
    async def scenario() -> None:
        timer = Dial()
        app, flight = timed(answers_when(go := asyncio.Event()), timer)
        wire = Wire()
        task = asyncio.create_task(app(http_scope(), wire.receive, wire.send))
        await asyncio.sleep(0)
        flight.sweep(2.0)
        assert slow_counts(flight) == (0, 0)
        flight.sweep(2.1)
        flight.sweep(2.2)
        assert slow_counts(flight) == (1, 0)
        timer.now = 3.0
        go.set()
        await task
        (cell,) = flight.collector.drain().values()
        assert (cell.slow_closed, cell.latency_sum_seconds, cell.outcomes) == (1, 3.0, {Outcome.OK: 1})

    asyncio.run(scenario())


def test_a_stream_that_has_begun_in_time_is_not_slow_however_long_it_lasts() -> None:
    async def scenario() -> None:
        timer = Dial()
        wire = Wire()
        go = asyncio.Event()

        async def streams(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"1", "more_body": True})
            await go.wait()
            await send({"type": "http.response.body", "body": b"2"})

        app, flight = timed(streams, timer, timeout_seconds=5.0)
        task = asyncio.create_task(app(http_scope(), wire.receive, wire.send))
        await asyncio.sleep(0)
        flight.sweep(3600.0)
        assert slow_counts(flight) == (0, 0)
        go.set()
        await task
        assert wire.body == b"12"

    asyncio.run(scenario())


def test_the_time_is_up_exactly_at_the_limit_of_each_request() -> None:
    async def scenario() -> None:
        timer = Dial()
        wires = [Wire(), Wire()]
        app, flight = timed(answers_when(go := asyncio.Event()), timer, timeout_seconds=5.0)
        tasks = []
        for timer.now, wire in zip((0.0, 1.0), wires, strict=True):
            tasks.append(asyncio.create_task(app(http_scope(), wire.receive, wire.send)))
            await asyncio.sleep(0)
        flight.sweep(4.9)
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)
        flight.sweep(5.0)
        await tasks[0]
        assert not tasks[1].done()
        go.set()
        await asyncio.gather(*tasks)
        assert [wire.status for wire in wires] == [504, 200]

    asyncio.run(scenario())


def test_what_has_begun_is_never_interrupted_and_what_was_interrupted_is_not_slow_as_well() -> None:
    async def scenario() -> None:
        timer = Dial()
        go = asyncio.Event()

        async def begins(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await go.wait()
            await send({"type": "http.response.body", "body": b"whole"})

        async def ignores(scope: Scope, receive: Receive, send: Send) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await go.wait()

        async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
            await (begins if scope["path"] == "/begins" else ignores)(scope, receive, send)

        app, flight = timed(by_path, timer, timeout_seconds=1.0)
        wires = [Wire(), Wire()]
        runs = [
            asyncio.create_task(app(http_scope(path=path), wire.receive, wire.send))
            for wire, path in zip(wires, ("/begins", "/ignores"), strict=True)
        ]
        await asyncio.sleep(0)
        flight.sweep(1.5)
        await asyncio.sleep(0)
        timer.now = 3.0
        flight.sweep(3.0)
        go.set()
        await asyncio.gather(*runs)
        assert (wires[0].body, wires[1].status) == (b"whole", 504)
        assert slow_counts(flight) == (1, 1)

    asyncio.run(scenario())


def answers_when(go: asyncio.Event) -> Application:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await answer(send)

    return app


def test_a_request_without_an_answer_in_time_is_504_and_a_failure() -> None:
    app = impatient(hanging)
    wire = asyncio.run(call(app))
    assert (wire.status, wire.version, wire.headers[b"content-type"]) == (504, "canary", b"application/problem+json")
    assert (wire.headers[b"cache-control"], wire.headers[b"x-content-type-options"]) == (b"no-store", b"nosniff")
    cell = cells(app)[CANARY, "(other)"]
    assert (cell.outcomes, cell.statuses) == ({Outcome.FAILED: 1}, {504: 1})


def test_legacy_has_the_same_time() -> None:
    app = Canary(hanging, answering(), subject=subject.header("x-user-id"), options=SOON)
    wire = asyncio.run(call(app))
    assert (wire.status, wire.version) == (504, "legacy")
    assert outcomes(app) == {(LEGACY, Outcome.FAILED): 1}


def test_a_safe_request_whose_time_is_up_is_answered_by_legacy() -> None:
    app = impatient(hanging, options=Options(timeout_seconds=0.03))
    wire = asyncio.run(call(app))
    assert (wire.status, wire.body, wire.headers[b"x-canary-fallback"]) == (200, b"legacy", b"1")
    assert outcomes(app) == {(CANARY, Outcome.FAILED): 1}


def test_when_both_hang_the_client_is_told() -> None:
    app = impatient(hanging, hanging, Options(timeout_seconds=0.03))
    wire = asyncio.run(call(app))
    assert (wire.status, wire.version, wire.headers[b"x-canary-fallback"]) == (504, "legacy", b"1")


def test_a_canary_that_hangs_after_its_failure_does_not_keep_the_client_from_legacy() -> None:
    async def lingers(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 500)
        await asyncio.Event().wait()

    assert asyncio.run(call(impatient(lingers, options=Options(timeout_seconds=0.03)))).body == b"legacy"


def test_the_servers_task_is_as_it_was_after_an_interruption() -> None:
    async def scenario() -> int:
        await call(impatient(hanging))
        task = asyncio.current_task()
        assert task is not None
        await asyncio.sleep(0)
        return task.cancelling()

    assert asyncio.run(scenario()) == 0


def test_the_application_may_clean_up_and_nothing_it_sends_then_is_heard() -> None:
    cleaned = []

    async def cleans_up(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await answer(send, 200, b"too late")
            cleaned.append(True)

    wire = asyncio.run(call(impatient(cleans_up)))
    assert (wire.status, cleaned) == (504, [True])


def test_an_application_that_turns_the_interruption_into_an_error_is_answered_for() -> None:
    async def translates(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ZeroDivisionError from None

    assert asyncio.run(call(impatient(translates))).status == 504


def test_a_shutdown_during_an_interruption_is_still_a_shutdown() -> None:
    async def scenario() -> None:
        async def stops_everything(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                task.cancel()
                raise

        app = impatient(stops_everything)
        wire = Wire()
        task = asyncio.create_task(call(app, wire=wire))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert wire.sent == []

    asyncio.run(scenario())


def test_an_application_in_time_is_not_touched() -> None:
    async def scenario() -> None:
        app = impatient(answering(b"new"))
        assert (await call(app)).body == b"new"
        await asyncio.sleep(0.06)
        assert (await call(app)).body == b"new"

    asyncio.run(scenario())


def test_the_timer_serves_one_event_loop_after_another() -> None:
    app = impatient(hanging)
    assert [asyncio.run(call(app)).status for _ in range(2)] == [504, 504]


def slow_upload(timer: Dial, seconds: float, *pieces: bytes) -> Wire:
    """A client that takes `seconds` before every piece of its body."""

    @dataclass
    class Sending(Wire):
        async def receive(self) -> Message:
            if self.incoming:
                await asyncio.sleep(0)
                timer.now += seconds
            return await super().receive()

    return Sending(chunks_of(*pieces))


async def reads_then_takes_a_second(scope: Scope, receive: Receive, send: Send, *, timer: Dial) -> None:
    while (await receive()).get("more_body"):
        timer.now += 0.5
    timer.now += 0.5
    await answer(send)


@pytest.mark.parametrize("found_in", [subject.header("x-user-id"), subject.json_field("user")])
def test_the_time_that_a_client_takes_to_send_its_body_is_not_the_versions(found_in: Subject) -> None:
    async def scenario() -> None:
        timer = Dial()
        app = Canary(
            answering(), partial(reads_then_takes_a_second, timer=timer), subject=found_in, timer=timer, clock=timer
        )
        app.adopt(EVERYBODY)
        await call(app, http_scope(method="POST"), wire=slow_upload(timer, 60.0, b'{"user":', b'"ada"}'))
        assert timer.now == 121.0
        cell = cells(app)[CANARY, "(other)"]
        assert (cell.outcomes, cell.latency_sum_seconds, cell.slow_opened) == ({Outcome.OK: 1}, 1.0, 0)

    asyncio.run(scenario())


def test_a_client_that_stalls_in_its_upload_is_neither_slow_nor_out_of_the_versions_time() -> None:
    async def scenario() -> None:
        timer = Dial()
        app, flight = timed(echo, timer, timeout_seconds=5.0)
        wire = Wire([{"type": "http.request", "body": b"1", "more_body": True}])
        task = asyncio.create_task(app(http_scope(method="POST"), wire.receive, wire.send))
        await asyncio.sleep(0)
        timer.now = 4.9
        flight.sweep(4.9)
        await asyncio.sleep(0)
        assert (slow_counts(flight), task.done()) == ((0, 0), False)
        flight.sweep(5.0)
        await task
        assert (wire.status, wire.headers[b"connection"]) == (408, b"close")
        (cell,) = flight.collector.drain().values()
        assert cell.outcomes == {Outcome.CANCELLED: 1}

    asyncio.run(scenario())


class Echoes:
    """Echo, and tell when so many wait for the rest of a body."""

    def __init__(self, count: int) -> None:
        self.missing = count
        self.all_wait = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        self.missing -= 1
        if not self.missing:
            self.all_wait.set()
        await echo(scope, receive, send)


@pytest.mark.parametrize("found_in", [subject.header("x-user-id"), subject.json_field("user")])
def test_clients_that_stall_open_no_breaker(found_in: Subject) -> None:
    async def scenario() -> None:
        timer, echoes = Dial(), Echoes(30)
        app = Canary(echoes, echoes, subject=found_in, options=SOON, timer=timer)
        app.adopt(EVERYBODY)
        stalling = [Wire([{"type": "http.request", "body": b"{", "more_body": True}]) for _ in range(30)]
        scopes = [http_scope(method="POST", headers=[(b"x-user-id", b"%d" % each)]) for each in range(30)]
        calls = [call(app, scope, wire=wire) for scope, wire in zip(scopes, stalling, strict=True)]
        tasks = [asyncio.create_task(each) for each in calls]
        await echoes.all_wait.wait()
        timer.now = 1.0
        await asyncio.gather(*tasks)
        assert {wire.status for wire in stalling} == {408}
        assert {outcome for _, outcome in outcomes(app)} == {Outcome.CANCELLED}
        assert not app.breaker.is_open

    asyncio.run(scenario())


def test_a_version_that_hangs_after_the_upload_is_out_of_its_time() -> None:
    async def reads_and_hangs(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.Event().wait()

    app = impatient(reads_and_hangs)
    assert asyncio.run(call(app, http_scope(method="POST"), b"whole")).status == 504
    assert outcomes(app) == {(CANARY, Outcome.FAILED): 1}


def test_a_client_that_stalls_while_legacy_answers_in_place_of_a_failure_is_told_so() -> None:
    async def fails_at_once(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await answer(send, 500)

    async def scenario() -> None:
        timer, echoes = Dial(), Echoes(1)
        options = Options(timeout_seconds=0.03, safe_methods=frozenset({"POST"}))
        app = Canary(echoes, fails_at_once, subject=subject.header("x-user-id"), options=options, timer=timer)
        app.adopt(EVERYBODY)
        wire = Wire([{"type": "http.request", "body": b"{", "more_body": True}])
        task = asyncio.create_task(call(app, http_scope(method="POST"), wire=wire))
        await echoes.all_wait.wait()
        timer.now = 1.0
        await task
        assert (wire.status, wire.headers[b"x-canary-fallback"]) == (408, b"1")
        assert outcomes(app) == {(CANARY, Outcome.FAILED): 1}

    asyncio.run(scenario())
