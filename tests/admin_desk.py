"""The admin API as an operator's program meets it, over a whole line on a manual clock."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from control_room import MEMORY, Room, live
from serinus.access import Access
from serinus.admin.app import PREFIX, admin_app
from serinus.admin.context import Context
from serinus.drill.drills import Drills

ADMIN = "the-admin-token-of-the-tests"
ADDRESS = "203.0.113.7"
TEMPLATES = ("/hello", "/conversations/{session_id}/turn")


class Desk:
    """Every request carries the admin's token unless it names another one."""

    def __init__(self, room: Room, *, public_metrics: bool = False, max_body_bytes: int = 65_536) -> None:
        self.room = room
        self.access = access = Access(room.store, room.clock, ADMIN, "alice", public_metrics=public_metrics)
        self.drills = Drills(room.store, room.clock, room.canary)
        context = Context(
            store=room.store,
            commands=room.commands,
            access=access,
            canary=room.canary,
            agent=room.agent,
            clock=room.clock,
            drills=self.drills,
            templates=TEMPLATES,
        )
        self.app = admin_app(context, max_body_bytes=max_body_bytes)
        transport = httpx2.ASGITransport(app=self.app, client=(ADDRESS, 40_000), raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://service")

    async def token(self, role: str, name: str = "") -> str:
        return await self.room.store.create_token(name or f"the {role}", role, self.room.clock())

    async def get(self, path: str, *, token: str | None = ADMIN, **request: Any) -> httpx2.Response:
        return await self.send("GET", path, token=token, **request)

    async def post(self, path: str, body: Any = None, *, token: str | None = ADMIN, **request: Any) -> httpx2.Response:
        content = {} if body is None else {"json": body}
        return await self.send("POST", path, token=token, **content, **request)

    async def send(self, method: str, path: str, *, token: str | None = ADMIN, **request: Any) -> httpx2.Response:
        headers = {**request.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return await self.client.request(method, PREFIX + path, headers=headers, **request)

    async def scrape(self, token: str | None = ADMIN) -> httpx2.Response:
        """As Prometheus does."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.get("/metrics", headers=headers)

    async def state(self) -> tuple[int, int]:
        """What changes with every change: the split's revision and the number of events."""
        return (await self.room.store.split()).split.revision, await self.room.store.last_event_sequence()


def at_desk(story: Callable[[Desk], Awaitable[None]], url: str = MEMORY, **options: Any) -> None:
    """Tell a story at a fresh desk, with a controller that has been heard."""

    async def run(room: Room) -> None:
        await room.controller.tick()
        desk = Desk(room, **options)
        try:
            await story(desk)
        finally:
            await desk.drills.stop()

    live(run, url)


def kind(response: httpx2.Response) -> str:
    """The stable part of a problem's type."""
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["type"]).removeprefix("urn:serinus:problem:")


async def share(desk: Desk, percentage: float) -> None:
    await desk.post("/config", {"canary_percentage": percentage, "enabled": True})
    await desk.room.agent.refresh()


async def count(desk: Desk) -> None:
    """Have everything delivered."""
    desk.room.clock.forward(2)
    await desk.room.agent.beat()
