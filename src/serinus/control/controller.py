"""One tick: look, judge, decide, and store."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from serinus.analysis.analyze import analyze
from serinus.analysis.verdict import Report
from serinus.aside import aside
from serinus.control.memory import Memory, catch_up, recall
from serinus.errors import StaleRevision
from serinus.rollout.machine import decide
from serinus.rollout.rollback import SKEW_SECONDS
from serinus.rollout.state import Fleet, Phase, Rollout
from serinus.storage.counts import PRUNED_AT_ONCE, ROLLED_UP_AT_ONCE
from serinus.storage.judgements import Judgement
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

Clock: TypeAlias = Callable[[], float]

JUDGEMENT_SECONDS = 60.0
TRIES = 5
RETENTION_SECONDS = 30 * 86_400.0
ROLLUP_RETENTION_SECONDS = 90 * 86_400.0
PRUNE_SECONDS = 3_600.0
ROLL_UP_SECONDS = 15.0
STALE_AFTER_SECONDS = 60.0


class Controller:
    """Judges the active rollout and moves it; any number may run, the store's revisions let only one of them win.

    `clock` gives epoch seconds; `stale_after_seconds` is the agents' dead-man's switch.
    """

    def __init__(self, store: Store, clock: Clock, *, stale_after_seconds: float = STALE_AFTER_SECONDS) -> None:
        self._store = store
        self._clock = clock
        self._stale_after_seconds = stale_after_seconds
        self._memory: Memory | None = None
        self._prune_at = 0.0
        self._roll_up_at = 0.0

    async def tick(self, holder: str | None = None) -> None:
        """Judge once and store what follows, or nothing at all. Somebody else's command in between is judged again.

        Raises `Deposed` when the lease is not `holder`'s any more.
        """
        for attempt in range(1, TRIES + 1):
            try:
                return await self._tick(holder)
            except StaleRevision:
                logger.info("the rollout was changed during the tick (attempt %d); judging again", attempt)
        raise StaleRevision(f"the rollout was changed during each of {TRIES} ticks; the next tick tries again")

    async def _tick(self, holder: str | None) -> None:
        now = self._clock()
        rollout = await self._store.active_rollout()
        if rollout is None:
            self._memory = None
            await self._store.record_tick(now, holder=holder)
        else:
            await self._judge(rollout, now, holder)
        if now >= self._roll_up_at:
            await self._roll_up(now)
        if now >= self._prune_at:
            await self._prune(now)

    async def _judge(self, rollout: Rollout, now: float, holder: str | None) -> None:
        memory = await catch_up(self._store, rollout, await self._remember(rollout, now), now)
        report = await aside(analyze, memory.evidence, rollout.plan.criteria, now)
        self._memory = await self._decide(rollout, memory, report, now, holder=holder)
        await self._store.record_tick(now, rollout.id, report, holder=holder)

    async def _remember(self, rollout: Rollout, now: float) -> Memory:
        """The memory of the last tick, unless anybody else has changed the rollout since."""
        memory = self._memory
        if memory is not None and (memory.rollout_id, memory.revision) == (rollout.id, rollout.revision):
            return memory
        return await recall(self._store, rollout, now)

    async def _decide(
        self, rollout: Rollout, memory: Memory, report: Report, now: float, *, holder: str | None
    ) -> Memory:
        judgement = Judgement(memory.evidence, memory.cursor, report)
        decision = decide(rollout, report, await self._fleet(rollout, now), now)
        if decision.rollout is not rollout or decision.events:
            saved = await self._store.save(
                decision, expected_revision=rollout.revision, judgement=judgement, holder=holder
            )
            return replace(memory, revision=saved.revision, saved_at=now)
        if now - memory.saved_at >= JUDGEMENT_SECONDS:
            await self._store.save_judgement(rollout.id, judgement, rollout.revision, holder=holder)
            return replace(memory, saved_at=now)
        return memory

    async def _fleet(self, rollout: Rollout, now: float) -> Fleet:
        """The agents that may be routing to the canary, or may have been when the rollback began."""
        receipt = rollout.receipt
        since = receipt.decided_at if receipt is not None and rollout.phase is Phase.ROLLING_BACK else now
        agents = await self._store.fleet(since - self._stale_after_seconds - SKEW_SECONDS)
        return Fleet(agents, self._stale_after_seconds)

    async def _roll_up(self, now: float) -> None:
        self._roll_up_at = now + ROLL_UP_SECONDS  # before: what cannot be done must not make every tick a failure
        if await self._store.roll_up() == ROLLED_UP_AT_ONCE:
            self._roll_up_at = now

    async def _prune(self, now: float) -> None:
        self._prune_at = now + PRUNE_SECONDS
        await self._store.prune_rollups(now - ROLLUP_RETENTION_SECONDS)
        if await self._store.prune(now - RETENTION_SECONDS) == PRUNED_AT_ONCE:
            self._prune_at = now
