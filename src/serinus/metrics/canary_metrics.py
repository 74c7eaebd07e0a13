"""The counting itself: every request of this process, by version and endpoint, between two drains."""

from collections import defaultdict, deque
from collections.abc import Mapping
from math import isnan
from threading import Lock
from typing import TypeAlias

from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.metrics.sketch import BINS, SLOW_SECONDS, bin_of, upper_edge_ms
from serinus.metrics.snapshot import SLOTS, Cell, CellKey, Outcome

_Record: TypeAlias = tuple[DeploymentVersion, str, Outcome, float, int, int | None]

BATCH = 256
LONGEST_SECONDS = upper_edge_ms(BINS - 2) / 1_000
_VALID = frozenset({Outcome.OK, Outcome.FAILED, Outcome.DEGRADED})


class CanaryMetricsCollector:
    """Counts requests; any thread may record while another drains, and none is lost or counted twice.

    A record is appended to a queue (one atomic operation) and counted in batches of `BATCH`, by whoever fills one up or
    by the drain: docs/decisions/0002. Memory is bounded: the first `max_endpoints` that were ever seen are kept apart,
    later ones are counted as `OTHER_ENDPOINT`.
    """

    def __init__(self, max_endpoints: int = 512) -> None:
        self.max_endpoints = max_endpoints
        self._pending: deque[_Record] = deque()
        self._endpoints: dict[str, str] = {OTHER_ENDPOINT: OTHER_ENDPOINT}
        self._tallies: dict[tuple[DeploymentVersion, str, bool], _Tally] = {}
        self._lock = Lock()

    def record(
        self,
        version: DeploymentVersion,
        endpoint: str,
        outcome: Outcome,
        seconds: float,
        *,
        status: int = 0,
        slot: int | None = None,
    ) -> None:
        """Count a request that has ended; `status` 0 means that there was none, `slot` None that it is not compared.

        A latency below 0 counts as 0 and one above `LONGEST_SECONDS` as that; with one that is not a number the request
        is counted and its latency is not. A status outside 100..599 counts as none.
        """
        pending = self._pending
        pending.append((version, endpoint, outcome, seconds, status, slot))
        if len(pending) >= BATCH:
            with self._lock:
                self._count_pending()

    def slow(self, version: DeploymentVersion, endpoint: str, slot: int | None) -> None:
        """Count a request that has been in flight for 2 s, and is."""
        with self._lock:
            self._tally(version, endpoint, compared=slot is not None).slow_opened += 1

    def slow_ended(self, version: DeploymentVersion, endpoint: str, slot: int | None) -> None:
        """Count the end of a request for which `slow` was called; `record` it as well."""
        with self._lock:
            self._tally(version, endpoint, compared=slot is not None).slow_closed += 1

    def drain(self) -> Mapping[CellKey, Cell]:
        """Everything since the last drain, which is thereby taken."""
        with self._lock:
            self._count_pending()
            tallies, self._tallies = self._tallies, {}
        return {CellKey(*key): tally.cell() for key, tally in tallies.items()}

    def _count_pending(self) -> None:
        tallies = self._tallies
        take = self._pending.popleft
        for _ in range(len(self._pending)):  # only the holder of the lock takes, so that many are there
            version, endpoint, outcome, seconds, status, slot = take()
            tally = tallies.get((version, endpoint, slot is not None))
            if tally is None:
                tally = self._tally(version, endpoint, compared=slot is not None)
            tally.count(outcome, seconds, status, slot)

    def _tally(self, version: DeploymentVersion, endpoint: str, *, compared: bool) -> "_Tally":
        known = self._endpoints.get(endpoint)
        if known is None:
            known = endpoint if len(self._endpoints) <= self.max_endpoints else OTHER_ENDPOINT
            if known is endpoint:
                self._endpoints[endpoint] = endpoint
        return self._tallies.setdefault((version, known, compared), _Tally())


class _Tally:
    """A cell in the making."""

    __slots__ = (
        *("outcomes", "statuses", "latency", "latency_sum_seconds"),
        *("slow_opened", "slow_closed", "slot_requests", "slot_errors"),
    )

    def __init__(self) -> None:
        self.outcomes: dict[Outcome, int] = defaultdict(int)
        self.statuses: dict[int, int] = defaultdict(int)
        self.latency: dict[int, int] = defaultdict(int)
        self.latency_sum_seconds = 0.0
        self.slow_opened = 0
        self.slow_closed = 0
        self.slot_requests = [0] * SLOTS
        self.slot_errors = [0] * SLOTS

    def count(self, outcome: Outcome, seconds: float, status: int, slot: int | None) -> None:
        self.outcomes[outcome] += 1
        self.statuses[status if 100 <= status <= 599 else 0] += 1
        valid = outcome in _VALID
        if valid and slot is not None:
            self.slot_requests[slot] += 1
            if outcome is not Outcome.OK:
                self.slot_errors[slot] += 1
        if not 0.0 <= seconds <= LONGEST_SECONDS:
            if isnan(seconds):
                return
            seconds = 0.0 if seconds < 0 else LONGEST_SECONDS
        if valid or seconds > SLOW_SECONDS:
            self.latency[bin_of(seconds)] += 1
            self.latency_sum_seconds += seconds

    def cell(self) -> Cell:
        return Cell(
            outcomes=dict(self.outcomes),
            statuses=dict(self.statuses),
            latency=dict(self.latency),
            latency_sum_seconds=self.latency_sum_seconds,
            slow_opened=self.slow_opened,
            slow_closed=self.slow_closed,
            slot_requests=tuple(self.slot_requests) if any(self.slot_requests) else (),
            slot_errors=tuple(self.slot_errors) if any(self.slot_requests) else (),
        )
