"""A controller apart from any service: alone, or with the operators' API and console on an address of its own."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from serinus.admin.context import Context
from serinus.asgi.protocol import Receive, Scope, Send, route_path
from serinus.bootstrap import Doors, Machinery, access_of, link_of
from serinus.control.commands import Commands
from serinus.control.seen_endpoints import SeenEndpoints
from serinus.drill.drills import Drills
from serinus.settings import Settings, load
from serinus.storage.clock import StoreClock

logger = logging.getLogger(__name__)


def controller_application(settings: Settings | None = None) -> ASGIApp:
    """A controller, the alerts, the admin API and the console as an ASGI application, with ``/health`` for probes.

    Without `settings` those of the environment are used; raises `InvalidInput` when they cannot be.
    """
    settings = settings or load()
    clock = StoreClock()
    machinery = Machinery(settings, clock)
    seen, drills = SeenEndpoints(machinery.store, clock), Drills(machinery.store, clock, None)
    doors = Doors(_context(machinery, seen, drills), settings)

    @asynccontextmanager
    async def live(_app: Starlette) -> AsyncIterator[None]:
        await machinery.start(seen.run())
        try:
            yield
        finally:
            await drills.stop()
            await machinery.stop()

    async def enter(scope: Scope, receive: Receive, send: Send) -> None:
        door = doors.at(route_path(scope)) or RedirectResponse("console")
        await door(scope, receive, send)

    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "controller": machinery.name})

    return Starlette(routes=[Route("/health", health), Mount("", enter)], lifespan=live)


def _context(machinery: Machinery, seen: SeenEndpoints, drills: Drills) -> Context:
    settings, store, clock = machinery.settings, machinery.store, machinery.clock
    return Context(
        store=store,
        commands=Commands(store),
        access=access_of(settings, store, clock),
        canary=None,
        agent=None,
        clock=clock,
        drills=drills,
        templates=seen,
        stale_after_seconds=settings.stale_after_seconds,
        language=settings.language,
        channels=lambda: machinery.channels,
        link=link_of(settings),
    )


async def run_controller(settings: Settings) -> None:
    """A controller and the alerts, without an address, until the process is told to end."""
    told = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, told.set)
    machinery = Machinery(settings, StoreClock())
    await machinery.start()
    try:
        logger.info("the controller runs as %s", machinery.name)
        await told.wait()
    finally:
        await machinery.stop()
