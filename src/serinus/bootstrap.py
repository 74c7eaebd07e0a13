"""Where everything is put together: the one module that knows every other, and reads the clock."""

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx2
from starlette.types import ASGIApp

from serinus.access import Access
from serinus.admin.app import PREFIX, admin_app
from serinus.admin.context import Context
from serinus.admin.readiness import answer_ready
from serinus.alerts.addresses import addresses_of
from serinus.alerts.alert import LOG, channels_for
from serinus.alerts.channels import Channel, configured
from serinus.alerts.notifier import Notifier
from serinus.asgi import Canary, Options, Subject
from serinus.asgi.protocol import Application, Message, Receive, Scope, Send, route_path
from serinus.asgi.subject import Reader
from serinus.aside import settle
from serinus.certificates import authorities
from serinus.console.app import PREFIX as CONSOLE
from serinus.console.app import console_app
from serinus.control import loop
from serinus.control.agent import Agent, MeasuredElsewhere
from serinus.control.commands import Commands
from serinus.control.controller import Clock, Controller
from serinus.control.dead_mans_switch import DeadMansSwitch
from serinus.control.kept_split import KeptSplit
from serinus.drill.drills import Drills
from serinus.errors import StoreUnavailable
from serinus.rollout.events import Event
from serinus.sentry import observe
from serinus.settings import Settings, load
from serinus.sources.chosen import meaning_of, selection_of
from serinus.sources.prometheus import Prometheus
from serinus.sources.source import Source
from serinus.storage.clock import StoreClock, elapsed
from serinus.storage.database import Database
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

PREPARE_SECONDS = 10.0
WITHOUT_LIFESPAN = (
    "everybody gets LEGACY and nothing is delivered, because nothing was started: the server runs no lifespan"
    " (uvicorn: --lifespan on), or the application is mounted inside another, whose lifespan has to call its start()"
    " and stop()"
)


def application(
    *,
    legacy: Application,
    canary: Application,
    subject: Subject | Reader,
    options: Options | None = None,
    settings: Settings | None = None,
    clock: Clock | None = None,
) -> "Service":
    """An ASGI application that serves `legacy` and `canary` side by side, with controller and admin API inside.

    `subject` says who a request is for and `options` what takes part, as for `Canary`. Without `settings` those of the
    environment are used, without a `clock` that of the store; raises `InvalidInput` when the settings cannot be.
    """
    clock = clock or StoreClock()
    return Service(Canary(legacy, canary, subject=subject, options=options, clock=clock), settings or load(), clock)


class Machinery:
    """The store, a controller and the alerts: what runs beside requests, or alone."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.name = settings.agent_name or f"{socket.gethostname()}-{os.getpid()}"
        self.database = Database(settings.database_url)
        self.store = Store(self.database, channels=self._channels_of)
        self.controller = Controller(self.store, clock, stale_after_seconds=settings.stale_after_seconds)
        self._addresses = addresses_of(settings)
        self.channels: Mapping[str, Channel] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._resources = AsyncExitStack()

    async def start(self, *others: Coroutine[Any, Any, None]) -> None:
        """Prepare the store if it answers, and run until `stop`; `others` run beside."""
        self._resources.push_async_callback(self.database.close)  # also of a start that is stopped half-way
        try:
            async with asyncio.timeout(PREPARE_SECONDS):
                await self.store.prepare()
        except (StoreUnavailable, TimeoutError) as error:
            logger.warning("starting without the store, everybody gets LEGACY until it answers: %s", error)
        client = await self._resources.enter_async_context(httpx2.AsyncClient(verify=authorities()))
        work = (
            loop.run(self.controller, self.store, self.clock, holder=self.name),
            self._notifier(client).run(),
            self.store.watch(self.clock if isinstance(self.clock, StoreClock) else None),
            *self._source(client),
            *others,
        )
        self._tasks = [asyncio.create_task(each) for each in work]

    async def stop(self) -> None:
        """End in good order: what was counted is delivered, the lease given back."""
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                logger.error("a task had failed", exc_info=outcome)
        self._tasks = []
        await self._resources.aclose()

    def _channels_of(self, event: Event) -> tuple[str, ...]:
        """The default channels as far as they are configured, and all that the plan names: those are to be missed."""
        there = {LOG, *self._addresses.names, *event.channels}
        return tuple(name for name in channels_for(event) if name in there)

    def _source(self, client: httpx2.AsyncClient) -> Iterator[Coroutine[Any, Any, None]]:
        """What counts figures that are measured elsewhere, if any are."""
        if selection := selection_of(self.settings):
            prometheus, meaning = Prometheus(client, selection), meaning_of(self.settings)
            yield Source(self.store, prometheus, meaning, self.clock, holder=self.name).run()

    def _notifier(self, client: httpx2.AsyncClient) -> Notifier:
        self.channels = configured(client, self._addresses)
        return Notifier(
            *(self.store, self.channels, self.clock),
            language=self.settings.language,
            link=link_of(self.settings),
        )


class Doors:
    """What operators and Prometheus come in by."""

    def __init__(self, context: Context, settings: Settings) -> None:
        self._admin = admin_app(context, max_body_bytes=settings.max_body_bytes)
        self._console = console_app(context.access, context.clock)

    def at(self, path: str) -> ASGIApp | None:
        """The application that answers there; None where the service itself does."""
        if path == "/metrics" or _is_below(path, PREFIX):
            return self._admin
        return self._console if _is_below(path, CONSOLE) else None


class Service:
    """One process's whole: requests go to `canary`, operators' to the `doors`; neither counts the other's."""

    def __init__(self, canary: Canary, settings: Settings, clock: Clock) -> None:
        self.canary = canary
        self.machinery = Machinery(settings, clock)
        store, name = self.machinery.store, self.machinery.name
        kind = MeasuredElsewhere if settings.prometheus_url else Agent
        self.agent = kind(canary, store, clock, name, switch=_switch(settings), monotonic=elapsed)
        access = access_of(settings, store, clock)
        self.drills = Drills(store, clock, canary)
        self._answer: Application = self._alone
        self.doors = Doors(self._context(settings, access, clock), settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        path = route_path(scope)
        if scope["type"] != "http":
            await self._answer(scope, receive, send)
        elif door := self.doors.at(path):
            await door(scope, receive, send)
        elif path == "/ready":
            await answer_ready(self.canary, self.agent.health(), scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _alone(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The first request, where nothing runs beside the requests."""
        self._answer = self.canary
        logger.warning(WITHOUT_LIFESPAN)
        await self.canary(scope, receive, send)

    async def start(self) -> None:
        """Run what runs beside the requests; for a server that speaks no lifespan."""
        self._answer = self.canary
        settings = self.machinery.settings
        if settings.sentry_dsn:
            observe(settings.sentry_dsn.get_secret_value(), release=settings.release, environment=settings.environment)
        await self.machinery.start(self.agent.run())
        with suppress(StoreUnavailable):
            await self.agent.refresh()  # the first request is routed by the stored split already

    async def stop(self) -> None:
        await self.drills.stop()
        await self.machinery.stop()

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start after the two applications and stop after them, so that their last requests are counted too."""

        async def forward(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self.start()
                settle()
            if message["type"].startswith("lifespan.shutdown"):
                await self.stop()
            await send(message)

        try:
            await self.canary(scope, receive, forward)
        finally:
            await self.stop()

    def _context(self, settings: Settings, access: Access, clock: Clock) -> Context:
        return Context(
            store=access.store,
            commands=Commands(access.store),
            access=access,
            canary=self.canary,
            agent=self.agent,
            clock=clock,
            drills=self.drills,
            templates=_taking_part(self.canary),
            stale_after_seconds=settings.stale_after_seconds,
            language=settings.language,
            channels=lambda: self.machinery.channels,
            link=link_of(settings),
        )


def access_of(settings: Settings, store: Store, clock: Clock) -> Access:
    """Who may do what at an installation."""
    token = settings.admin_token
    return Access(
        store,
        clock,
        admin_token=token.get_secret_value() if token else None,
        admin_name=settings.admin_name,
        public_metrics=settings.public_metrics,
    )


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def link_of(settings: Settings) -> str | None:
    """The address that alerts point people to."""
    return str(settings.console_url) if settings.console_url else None


def _switch(settings: Settings) -> DeadMansSwitch:
    path = settings.kept_split_path
    return DeadMansSwitch(settings.stale_after_seconds, KeptSplit(path) if path else None)


def _taking_part(canary: Canary) -> tuple[str, ...]:
    """The service's route templates without those that never count."""
    excluded = tuple(f"{prefix.rstrip('/')}/" for prefix in canary.options.exclude)
    return tuple(name for name in canary.endpoints.templates if not f"{name}/".startswith(excluded))
