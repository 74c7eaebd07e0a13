"""The part in every serving process: sends what was counted, adopts the stored split, and stops when unwatched."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, TypeAlias

from serinus.asgi import Canary
from serinus.control.backlog import Backlog
from serinus.control.controller import STALE_AFTER_SECONDS, Clock
from serinus.control.dead_mans_switch import DeadMansSwitch
from serinus.errors import StoreUnavailable
from serinus.pauses import lengthened
from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import AgentStatus
from serinus.routing.split import LEGACY_ONLY, Split
from serinus.storage.bell import Bell
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

Step: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

BEAT_SECONDS = 1.0
WATCH_SECONDS = 1.0  # the net below the store's bell
LONGEST_PAUSE_SECONDS = 5.0
FAREWELL_SECONDS = 3.0
TURNS_SECONDS = 0.25
"""Within which the agents of a fleet deliver, one after the other: all slices end at one instant, a new split comes to
all at one instant, and processes that then all write would keep the last one from reading the split."""
SENT_AT_ONCE = 100
REPLACED = "the store's database was made anew and knows of no split; the last one stays in force until it is stale"


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """How an agent fares. `unwatched`: everybody is on LEGACY, because no controller was heard of for too long.

    `controller_silent_seconds` is None when none was ever heard of, `store_error` when the store answers.
    """

    agent: str
    split_revision: int
    unwatched: bool
    controller_silent_seconds: float | None
    store_error: str | None
    backlog: int
    dropped: int


@dataclass(frozen=True, slots=True)
class _Trouble:
    failures: int
    error: str


class Agent:
    """Ties one `Canary` to the store. It never holds up a request, and works on without a store.

    `name` tells people which process this is; a suffix makes it unique to this life of it. `clock` gives epoch
    seconds, `monotonic` seconds that nobody can set.
    """

    def __init__(
        self,
        canary: Canary,
        store: Store,
        clock: Clock,
        name: str,
        *,
        switch: DeadMansSwitch | None = None,
        monotonic: Clock = time.monotonic,
    ) -> None:
        self.name = f"{name}-{token_hex(4)}"
        self._canary = canary
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._switch = switch or DeadMansSwitch(STALE_AFTER_SECONDS)
        self._backlog = Backlog(self.name, clock())
        self._adopted: Split = LEGACY_ONLY
        self._events: list[Event] = []
        self._troubles: dict[str, _Trouble] = {}
        self._pulses = Bell()
        self._turn_seconds = random.random() * TURNS_SECONDS  # noqa: S311 - no secret

    def health(self) -> AgentHealth:
        elapsed = self._monotonic()
        return AgentHealth(
            agent=self.name,
            split_revision=self._adopted.revision,
            unwatched=self._switch.is_open(elapsed),
            controller_silent_seconds=self._switch.silent_seconds(elapsed),
            store_error=self._store_error(),
            backlog=len(self._backlog),
            dropped=self._backlog.dropped,
        )

    async def beat(self) -> None:
        """Everything once: what was counted goes to the store, then the stored split is adopted.

        Raises nothing: what fails is told by `health` and the log, and tried again at the next beat.
        """
        self.pulse()
        await self._attempt(self.deliver)
        await self._attempt(self.refresh)

    def pulse(self) -> None:
        """What needs no store: seal the snapshot when its slice has ended, and look at the dead-man's switch."""
        now = self._clock()
        if self._backlog.is_due(now):
            self._seal(now)
        self._adopt(self._switch.split(self._monotonic()))
        self._pulses.ring()

    async def refresh(self) -> None:
        """Adopt the stored split at once if it is another one; what was counted under the last one is sealed before."""
        stored, before = await self._store.split(), self._switch.blank_successor
        self._switch.hear(stored, now=self._clock(), elapsed=self._monotonic())
        if self._switch.blank_successor and not before:
            logger.error(REPLACED)
        self._adopt(self._switch.split(self._monotonic()))
        await self._keep_split()

    async def deliver(self) -> None:
        """Tell the store what was counted and how this process fares."""
        batch = self._backlog.oldest(SENT_AT_ONCE)
        await self._store.append_snapshots(batch, self._status())
        self._backlog.forget(batch)
        self._events += self._breaker_events()
        if self._events:
            await self._store.record_events(self._events)
            self._events = []

    async def run(self) -> None:
        """Beat until cancelled; then send what is left, and take leave of the store."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_pulsing())
                group.create_task(self._keep(self.deliver, self._pulses, BEAT_SECONDS * 2, turn=self._turn_seconds))
                group.create_task(self._keep(self.refresh, self._store.split_saved, WATCH_SECONDS))
        finally:
            await self._leave()

    async def _keep_pulsing(self) -> None:
        while True:
            try:
                self.pulse()
            except Exception:
                logger.exception("the agent's pulse failed")
            await asyncio.sleep(BEAT_SECONDS - self._clock() % BEAT_SECONDS)

    async def _keep(self, step: Step, bell: Bell, seconds: float, *, turn: float = 0.0) -> None:
        """Repeat a step `turn` seconds after the bell rings or the seconds are over, less often while it fails."""
        heard = bell.rings
        while True:
            if failures := await self._attempt(step):
                await asyncio.sleep(lengthened(seconds, failures, longest=LONGEST_PAUSE_SECONDS))
            else:
                heard = await bell.wait(heard, seconds)
                await asyncio.sleep(turn)

    async def _attempt(self, step: Step) -> int:
        """How often in a row it has failed. A store that fails twice is prepared: it may have been replaced.

        Not before the step is tried: a store that cannot be written may still be read, and what it says is obeyed.
        """
        name = step.__name__
        try:
            try:
                await step()
            except StoreUnavailable:
                if name not in self._troubles:
                    raise
                await self._store.prepare()
                await step()
        except Exception as error:  # noqa: BLE001 - a supervisor
            return self._note_trouble(name, error)
        if self._troubles.pop(name, None):
            logger.info("the store answers again: can %s", name)
        return 0

    def _note_trouble(self, name: str, error: Exception) -> int:
        """A store that is away is told once; anything else is a defect, with its traceback."""
        failures = self._troubles[name].failures + 1 if name in self._troubles else 1
        if not isinstance(error, StoreUnavailable):
            logger.error("the agent could not %s", name, exc_info=error)
        elif failures == 1:
            logger.warning("the agent cannot %s and serves on without: %s", name, error)
        self._troubles[name] = _Trouble(failures, str(error) or type(error).__name__)
        return failures

    async def _leave(self) -> None:
        self._seal(self._clock())
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while len(self._backlog):
                    await self.deliver()
                await self._store.forget_agent(self.name)

    async def _keep_split(self) -> None:
        """Beside the requests: a disk may take its time."""
        kept, stored = self._switch.kept, self._switch.stored
        if kept is not None and stored is not None and kept.differs(stored):
            await asyncio.to_thread(kept.follow, stored)

    def _adopt(self, split: Split) -> None:
        if split == self._adopted:
            return
        self._seal(self._clock())
        self._canary.adopt(split)
        self._adopted = split
        self._pulses.ring()  # the fleet is to know soon
        share = split.percentage if split.enabled else 0.0
        logger.info("adopted split %d: %g %% to the canary", split.revision, share)

    def _seal(self, now: float) -> None:
        self._backlog.seal(self._canary.collector.drain(), split_revision=self._adopted.revision, now=now)

    def _status(self) -> AgentStatus:
        return AgentStatus(
            agent=self.name,
            heard_at=self._clock(),
            split_revision=self._adopted.revision,
            last_canary_at=self._canary.last_canary_at,
            canary_in_flight=self._canary.canary_in_flight,
            breaker_open=self._canary.breaker.is_open,
            dropped=self._backlog.dropped,
            subject_failures=self._canary.subject_failures,
        )

    def _store_error(self) -> str | None:
        if self._troubles:
            return next(iter(self._troubles.values())).error
        return REPLACED if self._switch.blank_successor else None

    def _breaker_events(self) -> list[Event]:
        kinds = {True: EventKind.BREAKER_OPENED, False: EventKind.BREAKER_CLOSED}
        rollout_id = self._switch.stored.rollout_id if self._switch.stored else None
        return [
            Event(
                kinds[event.opened],
                event.at,
                self.name,
                rollout_id=rollout_id,
                reason=event.reason,
                incident=f"breaker of {self.name}",
            )
            for event in self._canary.take_breaker_events()
        ]


class MeasuredElsewhere(Agent):
    """Follows the split like any other, and counts nothing: an empty snapshot would say that nothing had happened."""

    def _seal(self, now: float) -> None:  # noqa: ARG002 - as its parent's
        self._canary.collector.drain()
