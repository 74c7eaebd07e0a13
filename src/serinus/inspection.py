"""A look into an installation's store from outside, for the command line: no service, no controller, nothing runs."""

import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import httpx2
from sqlalchemy.engine import make_url

from serinus.access import Role
from serinus.alerts.alert import channels_for
from serinus.analysis.forecast import Baseline, measured
from serinus.certificates import authorities
from serinus.control.kept_split import read_kept
from serinus.deployment import DeploymentVersion
from serinus.rollout.plan import Plan
from serinus.settings import Settings
from serinus.sources.chosen import meaning_of, selection_of
from serinus.sources.prometheus import Prometheus
from serinus.storage.database import Database
from serinus.storage.store import Store


async def create_token(settings: Settings, name: str, role: str, expires_at: float | None) -> str:
    """A token made in the store itself, for the first one; raises `StoreUnavailable`."""
    database = Database(settings.database_url)
    try:
        store = Store(database, channels=channels_for)
        await store.prepare()
        return await store.create_token(name, role, time.time(), expires_at)
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class Findings:
    """What the store says of an installation; `admins` and `tokens` count those in force, `plan` is the running one.

    `dropped`: requests whose counts the agents had to give up.
    """

    tokens: int
    admins: int
    controller_seconds_ago: float | None
    agents: tuple[str, ...]
    plan: Plan | None = None
    dropped: int = 0


async def look(settings: Settings) -> Findings:
    """Look into the store without changing it; raises `StoreUnavailable`."""
    database, now = Database(settings.database_url), time.time()
    try:
        store = Store(database, channels=channels_for)
        tokens = [token for token in await store.tokens() if token.valid(now)]
        heard_at = await store.controller_heard_at()
        fleet = await store.fleet(now - settings.stale_after_seconds)
        rollout = await store.active_rollout()
    finally:
        await database.close()
    return Findings(
        plan=rollout.plan if rollout else None,
        tokens=len(tokens),
        admins=sum(token.role == Role.ADMIN for token in tokens),
        controller_seconds_ago=None if heard_at is None else max(0.0, now - heard_at),
        agents=tuple(agent.agent for agent in fleet),
        dropped=sum(agent.dropped for agent in fleet),
    )


async def look_at_legacy(settings: Settings, seconds: float) -> Baseline | None:
    """What the store has of LEGACY over the last `seconds`; None without any request. Raises `StoreUnavailable`."""
    database = Database(settings.database_url)
    try:
        cells = await Store(database, channels=channels_for).window(time.time() - seconds)
    finally:
        await database.close()
    return measured(cell for key, cell in cells.items() if key.version is DeploymentVersion.LEGACY)


@dataclass(frozen=True, slots=True)
class Measured:
    """How many series the source has of both versions' requests, and of how many of them it knows latencies."""

    legacy: int
    canary: int
    latency: int


async def look_at_source(settings: Settings) -> Measured | None:
    """What the Prometheus of the settings measures now; None where there is none. Raises `SourceUnavailable`."""
    selection, meaning = selection_of(settings), meaning_of(settings)
    if selection is None:
        return None
    async with httpx2.AsyncClient(verify=authorities()) as client:
        reading = await Prometheus(client, selection).read(None)
    versions = [meaning.version_of(series.labels) for series in reading.requests]
    timed = sum(meaning.version_of(series.labels) is not None for series in reading.latency)
    return Measured(versions.count(DeploymentVersion.LEGACY), versions.count(DeploymentVersion.CANARY), timed)


def shown_prometheus(settings: Settings) -> str:
    """Where it is, without the user and the password that its address may hold."""
    url = settings.prometheus_url
    return f"{url.scheme}://{url.host}:{url.port}" if url else ""


@dataclass(frozen=True, slots=True)
class Verified:
    """How far the chain of events is whole, its digest there, and what is wrong with which event after it, if any."""

    events: int
    head: str
    fault: str | None = None
    sequence: int | None = None


async def read_head(settings: Settings) -> Verified:
    """The chain's head, without any look at the rest; raises `StoreUnavailable`."""
    database = Database(settings.database_url)
    try:
        head = await Store(database, channels=channels_for).head()
    finally:
        await database.close()
    return Verified(head.sequence, head.digest)


async def verify_chain(settings: Settings, kept: str | None, tell: Callable[[int, int], None]) -> Verified:
    """Go along the chain of events, and `tell` how many of how many are looked at; raises `StoreUnavailable`."""
    database = Database(settings.database_url)
    found = Verified(0, "")
    try:
        async with aclosing(Store(database, channels=channels_for).walk(kept)) as steps:
            async for walk, broken in steps:
                tell(walk.sequence, walk.head.sequence)
                fault = (broken.fault, broken.sequence) if broken else ()
                found = Verified(walk.sequence, walk.digest, *fault)
    finally:
        await database.close()
    return found


def kept_share(settings: Settings) -> float | None:
    """The canary's percentage at a start without the store, if one is kept; raises `OSError` and `Unreadable`."""
    stored = read_kept(settings.kept_split_path) if settings.kept_split_path else None
    return stored.split.percentage if stored else None


def missing_file(settings: Settings) -> Path | None:
    """The file that is to be the store, where there is none: looking into it would make an empty one."""
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    path = Path(str(url.database)).absolute()
    return None if path.exists() else path


def shown_url(settings: Settings) -> str:
    """The store's address without its password."""
    return make_url(settings.database_url).render_as_string(hide_password=True)
