"""The endpoints of a service that this process does not serve, as its counts tell them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import overload

from serinus.control.controller import Clock
from serinus.deployment import OTHER_ENDPOINT
from serinus.errors import StoreUnavailable
from serinus.storage.store import Store

LATELY_SECONDS = 86_400.0
LOOK_SECONDS = 15.0


class SeenEndpoints(Sequence[str]):
    """Route templates that were asked for during the last day, sorted; empty until `run` has looked once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._templates: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._templates)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._templates[index]

    async def look(self) -> None:
        cells = await self._store.window(self._clock() - LATELY_SECONDS)
        self._templates = tuple(sorted({key.endpoint for key in cells} - {OTHER_ENDPOINT}))

    async def run(self) -> None:
        """Look again and again until cancelled; what was seen stays while the store is away."""
        while True:
            with suppress(StoreUnavailable):  # the controller beside tells of it
                await self.look()
            await asyncio.sleep(LOOK_SECONDS)
