"""Counts what a Prometheus measured of two versions that run elsewhere, in the place of the agents' own counts."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex

from serinus.deployment import DeploymentVersion
from serinus.errors import Deposed, SourceUnavailable, StoreUnavailable
from serinus.metrics.snapshot import Cell, CellKey, Snapshot
from serinus.pauses import lengthened
from serinus.rollout.state import AgentStatus
from serinus.sources.answers import Series
from serinus.sources.counters import FORGET_SECONDS, Counters, Increase
from serinus.sources.freshness import newest_at, silent_seconds
from serinus.sources.measured import Meaning, Measured
from serinus.sources.prometheus import Prometheus, Reading
from serinus.storage.measurements import SOURCE
from serinus.storage.splits import StoredSplit
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

POLL_SECONDS = 4.0  # the verdicts are stale after ten seconds without word
LONGEST_PAUSE_SECONDS = 15.0
LEASE_SECONDS = 30.0
QUIET_SECONDS = 10.0  # without a canary request, before its traffic counts as ended
FAREWELL_SECONDS = 3.0
LOOKED = f"{SOURCE}-looked"
"""The agent of the snapshots that say that there was nothing else."""
LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY


@dataclass(frozen=True, slots=True)
class _Memory:
    """Where every counter stood when what was counted up to `through_ms` (Prometheus's clock) was stored."""

    through_ms: int | None
    requests: Counters
    latency: Counters

    def copy(self) -> "_Memory":
        return _Memory(self.through_ms, self.requests.copy(), self.latency.copy())


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a reading adds, from `started_at` to `ended_at` by our clock; `canary` of it are the canary's requests."""

    number: int
    started_at: float
    ended_at: float
    cells: dict[CellKey, Cell]
    canary: int


class Source:
    """Reads, counts and stores as long as it holds the lease; of many processes one does. `clock`: epoch seconds.

    What was counted is stored together with how far that was, so that whoever goes on goes on from there. While
    Prometheus, or one version's samples, stay away nothing is stored: the figures grow stale, and nothing advances.
    """

    def __init__(
        self, store: Store, prometheus: Prometheus, meaning: Meaning, clock: Callable[[], float], *, holder: str
    ) -> None:
        self._store = store
        self._prometheus = prometheus
        self._meaning = meaning
        self._measured = Measured(meaning)
        self._clock = clock
        self._holder = f"{holder}-{token_hex(4)}"
        self._memory = _Memory(None, Counters(), Counters())
        self._confirmed = 0
        self._last_canary_at: float | None = None

    async def run(self) -> None:
        """Poll until cancelled; then give the lease back."""
        failures = 0
        try:
            while True:
                failures = await self._attempt(failures)
                await asyncio.sleep(lengthened(POLL_SECONDS, failures, longest=LONGEST_PAUSE_SECONDS))
        finally:
            with suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._store.release_lease(self._holder, SOURCE)

    async def poll(self) -> None:
        """Count what was measured since the last time. Raises `SourceUnavailable`, `StoreUnavailable` and `Deposed`."""
        if not await self._store.acquire_lease(self._holder, self._clock(), LEASE_SECONDS, SOURCE):
            return
        stored, through_ms = await self._store.split(), await self._store.counted_through_ms()
        if through_ms != self._memory.through_ms:  # another process has gone on, or this one begins
            self._memory = _Memory(through_ms, Counters(), Counters())
        reading = await self._prometheus.read(None if through_ms is None else through_ms / 1_000)
        self._refuse_unmeasured(reading, stored)
        memory = self._memory.copy()
        counted = self._count(reading, memory)
        await self._deliver(counted, stored)
        if counted is not None:
            self._memory = _Memory(counted.number, memory.requests, memory.latency)

    async def _attempt(self, failures: int) -> int:
        """How often in a row it has failed; told once."""
        try:
            await self.poll()
        except (SourceUnavailable, StoreUnavailable, Deposed) as error:
            if not failures:
                logger.warning("nothing is measured, so nothing is judged: %s", error)
            return failures + 1
        if failures:
            logger.info("both versions are measured again")
        return 0

    def _refuse_unmeasured(self, reading: Reading, stored: StoredSplit) -> None:
        """Of every version that is to have traffic there must be samples."""
        share = stored.split.percentage if stored.split.enabled else 0.0
        wanted = ((LEGACY, share < 100), (CANARY, share > 0))
        for version in (version for version, has_traffic in wanted if has_traffic):
            series = self._of(reading.requests, version)
            silent = silent_seconds(series, reading.at)
            if not series:
                raise SourceUnavailable(f"Prometheus has no requests of {version}; see SERINUS_PROMETHEUS_REQUESTS")
            if silent is not None:
                raise SourceUnavailable(f"the newest sample of {version} is {silent:.0f} s old; is its target up?")

    def _count(self, reading: Reading, memory: _Memory) -> _Counted | None:
        """What there is besides what `memory` knows, which then knows it; None when there is nothing newer."""
        newest = newest_at(self._of(reading.requests, LEGACY, CANARY))
        if newest is None or (memory.through_ms is not None and round(newest * 1_000) <= memory.through_ms):
            return None
        after = newest if memory.through_ms is None else memory.through_ms / 1_000
        requests = memory.requests.increases(self._of(reading.requests, LEGACY, CANARY), after=after)
        latency = memory.latency.increases(self._of(reading.latency, LEGACY, CANARY), after=after)
        for counters in (memory.requests, memory.latency):
            counters.forget(reading.at - FORGET_SECONDS)
        ahead = self._clock() - reading.now  # of their clock
        return _Counted(
            number=round(newest * 1_000),
            started_at=min((each.since_at for each in requests), default=newest) + ahead,
            ended_at=newest + ahead,
            cells=self._measured.cells(requests, latency),
            canary=self._canary_requests(requests),
        )

    async def _deliver(self, counted: _Counted | None, stored: StoredSplit) -> None:
        """Store it, and that there was nothing else until now."""
        now, revision = self._clock(), stored.split.revision
        looked = Snapshot(LOOKED, round(now * 1_000), now, now, revision, {})
        batch = [looked]
        if counted is not None:
            under = revision if self._is_of(stored, counted) else revision - 1
            span = (counted.started_at, counted.ended_at)
            batch.insert(0, Snapshot(SOURCE, counted.number, *span, max(0, under), counted.cells))
            if counted.canary:
                self._last_canary_at = counted.ended_at
        if self._has_adopted(counted, stored):
            self._confirmed = revision
        status = AgentStatus(SOURCE, now, self._confirmed, self._last_canary_at)
        await self._store.append_measured(batch, status, holder=self._holder)

    def _is_of(self, stored: StoredSplit, counted: _Counted) -> bool:
        """Whether all of it happened under the split in force."""
        return stored.changed_at is None or counted.started_at >= stored.changed_at

    def _has_adopted(self, counted: _Counted | None, stored: StoredSplit) -> bool:
        """Whoever splits the traffic is believed to follow, but for the way back: it is seen when no request comes."""
        split = stored.split
        if (split.enabled and split.percentage > 0) or stored.changed_at is None:
            return True
        busy_until = max(self._last_canary_at or 0.0, stored.changed_at)
        return counted is not None and counted.ended_at - busy_until >= QUIET_SECONDS

    def _canary_requests(self, requests: Iterable[Increase]) -> int:
        return sum(each.count for each in requests if self._meaning.version_of(each.labels) is CANARY)

    def _of(self, series: Iterable[Series], *versions: DeploymentVersion) -> list[Series]:
        return [each for each in series if self._meaning.version_of(each.labels) in versions]
