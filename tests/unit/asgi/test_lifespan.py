"""Both applications are started and stopped, by the one lifespan that the server speaks."""

import asyncio
from collections.abc import Callable

import pytest

from serinus.asgi import Canary, subject
from serinus.asgi.protocol import Application, Message, Receive, Scope, Send
from unit.asgi.wire import EVERYBODY, answer, answering, call, http_scope, raising


class Living:
    """An application that keeps a diary of its lifespan, shares its name, and may fail to `start` or to `stop`."""

    def __init__(self, name: str, diary: list[str], fails: str = "") -> None:
        self.name = name
        self.diary = diary
        self.fails = fails

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await answer(send, 200, repr(sorted(scope["state"].items())).encode())
            return
        scope["state"]["name"] = self.name
        for stage in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{stage}"
            self.diary.append(f"{self.name} {stage}")
            failed = stage == self.fails
            await send({"type": f"lifespan.{stage}.{'failed' if failed else 'complete'}", "message": "no database"})
            if failed:
                return


async def live(app: Application, during: Callable[[], object] = lambda: None) -> list[Message]:
    """Start it and stop it again; what it said."""
    said: asyncio.Queue[Message] = asyncio.Queue()
    told: asyncio.Queue[Message] = asyncio.Queue()
    told.put_nowait({"type": "lifespan.startup"})
    task = asyncio.ensure_future(app({"type": "lifespan", "asgi": {}, "state": {"outer": 1}}, told.get, said.put))
    heard = [await said.get()]
    if heard[0]["type"] == "lifespan.startup.complete":
        result = during()
        if asyncio.iscoroutine(result):
            await result
        told.put_nowait({"type": "lifespan.shutdown"})
        heard.append(await said.get())
    await task
    return heard


def together(legacy: Application, canary: Application) -> Canary:
    return Canary(legacy, canary, subject=subject.header("x-user-id"))


def types(heard: list[Message]) -> list[str]:
    return [message["type"] for message in heard]


def test_both_are_started_and_stopped_in_the_opposite_order() -> None:
    diary: list[str] = []
    heard = asyncio.run(live(together(Living("old", diary), Living("new", diary))))
    assert types(heard) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert diary == ["old startup", "new startup", "new shutdown", "old shutdown"]


def test_one_application_in_both_places_lives_once() -> None:
    diary: list[str] = []
    app = Living("one", diary)
    asyncio.run(live(together(app, app)))
    assert diary == ["one startup", "one shutdown"]


def test_one_that_cannot_start_is_named_and_the_other_is_stopped() -> None:
    diary: list[str] = []
    (heard,) = asyncio.run(live(together(Living("old", diary), Living("new", diary, fails="startup"))))
    assert heard == {"type": "lifespan.startup.failed", "message": "canary: no database"}
    assert diary == ["old startup", "new startup", "old shutdown"]


def test_one_that_cannot_stop_is_named_and_the_other_is_stopped_all_the_same() -> None:
    diary: list[str] = []
    heard = asyncio.run(live(together(Living("old", diary), Living("new", diary, fails="shutdown"))))
    assert heard[1] == {"type": "lifespan.shutdown.failed", "message": "canary: no database"}
    assert diary[-1] == "old shutdown"


@pytest.mark.parametrize("without", [answering(), raising(ValueError("only http here"))])
def test_one_without_a_lifespan_is_served_all_the_same(without: Application) -> None:
    diary: list[str] = []
    heard = asyncio.run(live(together(without, Living("new", diary))))
    assert types(heard) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert diary == ["new startup", "new shutdown"]


def test_one_that_leaves_before_the_shutdown_is_named() -> None:
    async def leaves(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})

    heard = asyncio.run(live(together(leaves, Living("new", []))))
    assert heard[1] == {"type": "lifespan.shutdown.failed", "message": "legacy: left before the shutdown"}


def test_each_version_sees_its_own_state_in_its_requests() -> None:
    app = together(Living("old", []), Living("new", []))
    bodies: list[bytes] = []

    async def during() -> None:
        scope = {**http_scope(), "state": {"outer": 1}}
        bodies.append((await call(app, scope)).body)
        app.adopt(EVERYBODY)
        bodies.append((await call(app, scope)).body)
        bodies.append((await call(app, {**scope, "path": "/health"})).body)

    asyncio.run(live(app, during))
    old, new = b"[('name', 'old'), ('outer', 1)]", b"[('name', 'new'), ('outer', 1)]"
    assert bodies == [old, new, old]


def test_a_server_that_cancels_takes_both_down() -> None:
    ended: list[str] = []

    def waits(name: str) -> Application:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            try:
                await receive()
            finally:
                ended.append(name)

        return app

    async def scenario() -> None:
        started = asyncio.Event()
        told: asyncio.Queue[Message] = asyncio.Queue()
        told.put_nowait({"type": "lifespan.startup"})

        async def send(message: Message) -> None:
            started.set()

        app = together(waits("old"), waits("new"))
        task = asyncio.ensure_future(app({"type": "lifespan"}, told.get, send))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert ended == ["old", "new"]
