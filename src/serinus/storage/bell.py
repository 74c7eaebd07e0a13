"""Wakes the tasks of this process when something was stored."""

import asyncio


class Bell:
    """Rings are counted, so that one between two waits is not missed. For one event loop."""

    def __init__(self) -> None:
        self.rings = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        self.rings += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def wait(self, heard: int, seconds: float) -> int:
        """Return the number of rings as soon as it is not `heard`, or after `seconds`."""
        if self.rings == heard:
            rung = asyncio.get_running_loop().create_future()
            self._waiting.add(rung)
            try:
                await asyncio.wait([rung], timeout=seconds)
            finally:
                self._waiting.discard(rung)
        return self.rings
