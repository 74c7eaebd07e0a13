"""Snapshots on their way from the collector to the store."""

import math
from collections import deque
from collections.abc import Mapping

from serinus.metrics.snapshot import SLICE_SECONDS, Cell, CellKey, Snapshot

LIMIT = 900  # snapshots: half an hour without a store
PROMPT_SECONDS = 0.5


class Backlog:
    """One agent's sealed snapshots that are not stored yet; the oldest are given up, and counted, beyond `limit`."""

    def __init__(self, agent: str, started_at: float, *, limit: int = LIMIT) -> None:
        self.agent = agent
        self.dropped = 0
        self._limit = limit
        self._sealed_at = started_at
        self._sequence = 0
        self._dropped_untold = 0
        self._snapshots: deque[Snapshot] = deque()

    def __len__(self) -> int:
        return len(self._snapshots)

    def is_due(self, now: float) -> bool:
        """Whether a slice has ended since the last seal."""
        return now // SLICE_SECONDS != self._sealed_at // SLICE_SECONDS

    def seal(self, cells: Mapping[CellKey, Cell], *, split_revision: int, now: float) -> None:
        """Close the snapshot that covers the time since the last seal.

        One that is sealed promptly after a slice's end lies within that slice; a late one ends now.
        """
        boundary = now // SLICE_SECONDS * SLICE_SECONDS
        prompt = self.is_due(now) and now - boundary < PROMPT_SECONDS
        ended_at = math.nextafter(boundary, 0) if prompt else now
        self._sequence += 1
        snapshot = Snapshot(
            agent=self.agent,
            sequence=self._sequence,
            started_at=min(self._sealed_at, ended_at),
            ended_at=ended_at,
            split_revision=split_revision,
            cells=cells,
            dropped=self._dropped_untold,
        )
        self._sealed_at = boundary if prompt else now
        self._dropped_untold = 0
        self._snapshots.append(snapshot)
        if len(self._snapshots) > self._limit:
            self._drop(self._snapshots.popleft())

    def oldest(self, count: int) -> list[Snapshot]:
        """What is to be stored next."""
        return [self._snapshots[index] for index in range(min(count, len(self._snapshots)))]

    def forget(self, stored: list[Snapshot]) -> None:
        """Let go of what the store has; in the meantime the oldest may have been given up."""
        last = stored[-1].sequence if stored else 0
        while self._snapshots and self._snapshots[0].sequence <= last:
            self._snapshots.popleft()

    def _drop(self, snapshot: Snapshot) -> None:
        requests = sum(cell.requests for cell in snapshot.cells.values()) + snapshot.dropped
        self.dropped += requests - snapshot.dropped
        self._dropped_untold += requests
