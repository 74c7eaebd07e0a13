"""An application on a real server, in the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from serinus.asgi.protocol import Application


@asynccontextmanager
async def served(app: Application) -> AsyncIterator[int]:
    """The port of loopback that answers by `app` until the block ends."""
    config = uvicorn.Config(app, port=0, lifespan="on", log_config=None, ws="websockets-sansio")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not task.done()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task
