"""Keeps a controller ticking in one process at a time."""

import asyncio
import logging
from contextlib import suppress

from serinus.control.controller import Clock, Controller
from serinus.errors import StoreUnavailable
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

LEASE = "controller"
LEASE_SECONDS = 5.0
TICK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


async def run(controller: Controller, store: Store, clock: Clock, *, holder: str) -> None:
    """Tick every second while this process holds the lease; until cancelled, when the lease is given back."""
    failures = 0
    try:
        while True:
            try:
                if failures:
                    await store.prepare()
                await attempt(controller, store, clock, holder)
                failures = 0
            except Exception:
                failures += 1
                logger.exception("the controller's tick failed (%d in a row)", failures)
            await asyncio.sleep(pause_seconds(failures))
    finally:
        await _release(store, holder)


async def attempt(controller: Controller, store: Store, clock: Clock, holder: str) -> bool:
    """Tick if the lease can be had; says whether it could."""
    leads = await store.acquire_lease(LEASE, holder, clock(), LEASE_SECONDS)
    if leads:
        await controller.tick()
    return leads


def pause_seconds(failures: int) -> float:
    """A second, doubled with every failure in a row."""
    return min(TICK_SECONDS * 2.0 ** min(failures, 10), LONGEST_PAUSE_SECONDS)


async def _release(store: Store, holder: str) -> None:
    """A lease that cannot be given back lapses by itself."""
    with suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(LEASE_SECONDS):
            await store.release_lease(LEASE, holder)
