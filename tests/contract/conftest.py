"""One suite, every backend: a backend is a name and a way to make its URL."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from serinus.rollout.events import Event
from serinus.storage.database import Database
from serinus.storage.store import Store

BACKENDS: dict[str, Callable[[pytest.FixtureRequest, Path], str]] = {
    "sqlite in memory": lambda _request, _folder: "sqlite+aiosqlite://",
    "sqlite file": lambda _request, folder: f"sqlite+aiosqlite:///{folder / 'serinus.db'}",
    "postgresql": lambda request, _folder: str(request.getfixturevalue("postgresql_server").url()),
}
NEEDED = {"postgresql": pytest.mark.tool("postgresql")}
SHARED = ("sqlite file", "postgresql")
Story = Callable[[Store], Awaitable[None]]


@pytest.fixture(params=[pytest.param(name, marks=NEEDED.get(name, ())) for name in BACKENDS])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return BACKENDS[request.param](request, tmp_path)


@pytest.fixture(params=[pytest.param(name, marks=NEEDED.get(name, ())) for name in SHARED])
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database that several processes can open."""
    return BACKENDS[request.param](request, tmp_path)


@pytest.fixture
def tell(url: str) -> Callable[[Story], None]:
    """Run a story on an empty store; events are told on the channels that they name."""

    async def run(story: Story) -> None:
        database = Database(url)
        store = Store(database, channels=channels)
        try:
            await store.prepare()
            await story(store)
        finally:
            await database.close()

    return lambda story: asyncio.run(run(story))


def channels(event: Event) -> tuple[str, ...]:
    return event.channels
