"""Keeps a controller ticking in one process at a time."""

import asyncio
import logging
from contextlib import suppress
from secrets import token_hex

from serinus.control.controller import Clock, Controller
from serinus.errors import Deposed, StoreUnavailable, Unreadable
from serinus.pauses import lengthened
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
TICK_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0


async def run(controller: Controller, store: Store, clock: Clock, *, holder: str) -> None:
    """Tick every second while this process holds the lease; until cancelled, when the lease is given back.

    `holder` tells people which process this is; a suffix makes it unique, for processes may share a name.
    """
    holder, failures = f"{holder}-{token_hex(4)}", 0
    try:
        while True:
            try:
                if failures:
                    await _prepare(store)
                await attempt(controller, store, clock, holder)
                if failures:
                    logger.info("the controller ticks again")
                failures = 0
            except StoreUnavailable as error:  # told once, as the agent does
                failures += 1
                if failures == 1:
                    logger.warning("the controller waits for the store: %s", error)
            except Exception:
                failures += 1
                logger.exception("the controller's tick failed (%d in a row)", failures)
            await asyncio.sleep(lengthened(TICK_SECONDS, failures, longest=LONGEST_PAUSE_SECONDS))
    finally:
        await _release(store, holder)


async def attempt(controller: Controller, store: Store, clock: Clock, holder: str) -> bool:
    """Tick if the lease can be had; says whether this process leads."""
    if not await store.acquire_lease(holder, clock(), LEASE_SECONDS):
        return False
    try:
        await controller.tick(holder)
    except Deposed as error:
        logger.warning("another controller has taken over during a tick, of which nothing is stored: %s", error)
        return False
    return True


async def _prepare(store: Store) -> None:
    """The store may have been replaced; tables of a later version serve this one too."""
    with suppress(Unreadable):
        await store.prepare()


async def _release(store: Store, holder: str) -> None:
    """A lease that cannot be given back lapses by itself."""
    with suppress(StoreUnavailable, TimeoutError):
        async with asyncio.timeout(LEASE_SECONDS):
            await store.release_lease(holder)
