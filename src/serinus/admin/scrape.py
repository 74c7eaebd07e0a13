"""What one scrape knows: of everybody, from the store, and of the process that answers."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from serinus.admin.context import Context
from serinus.analysis.verdict import Report
from serinus.control.agent import AgentHealth
from serinus.errors import StoreUnavailable
from serinus.metrics.snapshot import Cell, CellKey
from serinus.rollout.state import AgentStatus, Rollout
from serinus.routing.split import Split
from serinus.storage.deliveries import Queue
from serinus.storage.splits import StoredSplit

OBSERVED_SECONDS = 60.0
READ_SECONDS = 5.0  # Prometheus waits for ten


@dataclass(frozen=True, slots=True)
class Everybody:
    """What the store knows: the same, whichever process is asked.

    `totals` and `events` are of all time and only grow; `lately` is the last minute.
    """

    now: float
    stored: StoredSplit
    rollout: Rollout | None
    report: Report | None
    agents: tuple[AgentStatus, ...]
    controller_heard_at: float | None
    totals: Mapping[CellKey, Cell]
    lately: Mapping[CellKey, Cell]
    events: Mapping[str, int]
    outbox: Mapping[str, Queue]
    templates: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """What the process that answers knows of itself, with or without a store."""

    store_answers: bool


@dataclass(frozen=True, slots=True)
class Serving:
    """What a process that serves users knows of its agent."""

    health: AgentHealth
    adopted: Split
    breaker_open: bool


async def ask_store(here: Context) -> Everybody | None:
    """None when the store does not answer in time for the scrape."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(here)
    except (StoreUnavailable, TimeoutError):
        return None


def ask_agent(here: Context) -> Serving | None:
    """None in a controller apart, which serves nobody."""
    if here.agent is None or here.canary is None:
        return None
    canary = here.canary
    return Serving(here.agent.health(), canary.router.split, canary.breaker.is_open)


async def _read(here: Context) -> Everybody:
    store, now = here.store, here.clock()
    rollout = await store.latest_rollout()
    return Everybody(
        now=now,
        stored=await store.split(),
        rollout=rollout,
        report=await store.latest_report(rollout.id) if rollout else None,
        agents=await store.fleet(now - here.stale_after_seconds),
        controller_heard_at=await store.controller_heard_at(),
        totals=await store.totals(),
        lately=await store.window(now - OBSERVED_SECONDS),
        events=await store.event_counts(),
        outbox=await store.outbox(),
        templates=tuple(here.templates),
        channels=tuple(here.channels()),
    )
