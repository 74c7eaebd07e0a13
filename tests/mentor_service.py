"""mentor as a test talks to it: the real application, its lifespan running, over a SQLite file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx2
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mentor.application import version_app
from mentor.dependencies import Engines
from mentor.settings import MentorSettings
from ready_tables import file_with_tables
from serinus import DeploymentVersion


class Clock:
    """Stands still until a test moves it."""

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def engines_at(path: Path, clock: Clock, **settings: Any) -> Engines:
    file = path / "mentor.db"
    if not (file.exists() or settings.get("simulation")):
        file.write_bytes(file_with_tables("mentor.migrations"))
    url = f"sqlite+aiosqlite:///{file}"
    return Engines(MentorSettings(database_url=url, **settings), clock, draw=lambda: 0.99)  # explores nothing


class Service:
    """`with Service(app) as service: service.post(...)`."""

    def __init__(self, app: ASGIApp, headers: dict[str, str] | None = None) -> None:
        self.app = app
        self._headers = headers
        self.raised: list[str] = []
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()

    @classmethod
    def of(cls, engines: Engines, version: DeploymentVersion) -> Self:
        return cls(version_app(engines, version))

    def __enter__(self) -> Self:
        self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()

    def get(self, path: str, **parameters: str | int) -> httpx2.Response:
        return self._runner.run(self._client.get(path, params=parameters))

    def post(self, path: str, body: object = None) -> httpx2.Response:
        return self._runner.run(self._client.post(path, json=body))

    def delete(self, path: str) -> httpx2.Response:
        return self._runner.run(self._client.delete(path))

    def send(self, method: str, path: str, headers: dict[str, str], body: object = None) -> httpx2.Response:
        return self._runner.run(self._client.request(method, path, json=body, headers=headers))

    def post_raw(self, path: str, content: bytes) -> httpx2.Response:
        headers = {"content-type": "application/json"}
        return self._runner.run(self._client.post(path, content=content, headers=headers))

    def stream(self, path: str, body: object) -> httpx2.Response:
        """A whole stream of events; `raised` names what the application raised in it."""
        return self._runner.run(self._client.post(path, json=body, headers={"accept": "text/event-stream"}))

    def post_at_once(self, path: str, bodies: list[Any]) -> list[httpx2.Response]:
        async def all_of_them() -> list[httpx2.Response]:
            return await asyncio.gather(*(self._client.post(path, json=body) for body in bodies))

        return self._runner.run(all_of_them())

    def recommend(self, query: str, user_id: str = "ada", **more: object) -> dict[str, Any]:
        answer = self.post("/api/v2/recommend/personalized", {"user_id": user_id, "query": query, **more})
        assert answer.status_code == 200, answer.text
        return _object(answer)

    def start(self, user_id: str = "ada", persona: str = "Lua", **options: object) -> str:
        body = {"user_id": user_id, "persona_id": persona, "options": options}
        answer = self.post("/api/v2/conversations/start", body)
        assert answer.status_code == 200, answer.text
        return str(_object(answer)["session_id"])

    def say(self, session_id: str, message: str) -> dict[str, Any]:
        answer = self.post(f"/api/v2/conversations/{session_id}/turn", {"user_message": message})
        assert answer.status_code == 200, answer.text
        return _object(answer)

    async def _noting(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            self.raised.append(type(error).__name__)
            raise

    async def _start(self) -> None:
        await self._stack.enter_async_context(_lifespan(self.app))
        transport = httpx2.ASGITransport(self._noting, raise_app_exceptions=False)
        client = httpx2.AsyncClient(transport=transport, base_url="http://mentor", headers=self._headers)
        self._client = await self._stack.enter_async_context(client)


@asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """What a server does around the requests."""
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    living = asyncio.ensure_future(app(scope, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    yield
    await to_app.put({"type": "lifespan.shutdown"})
    assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
    await living


def _object(answer: httpx2.Response) -> dict[str, Any]:
    body = answer.json()
    assert isinstance(body, dict)
    return body
