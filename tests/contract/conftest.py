"""One suite, every backend."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from backends import BACKENDS, params, url_of
from serinus.rollout.events import Event
from serinus.storage.database import Database
from serinus.storage.store import Store

Story = Callable[[Store], Awaitable[None]]


@pytest.fixture(params=params(BACKENDS))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request, tmp_path)


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
