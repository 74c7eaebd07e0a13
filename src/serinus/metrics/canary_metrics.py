"""The counting itself: every request of this process, by version and endpoint, between two drains."""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from math import nextafter
from threading import Lock
from typing import TypeAlias

from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.metrics.moments import NONE, Moments, add
from serinus.metrics.sketch import BINS, EDGES_SECONDS, SLOW_SECONDS, upper_edge_ms
from serinus.metrics.snapshot import ERRORS, SLOTS, VALID, Cell, CellKey, Outcome, merge

BATCH = 256
MAX_VALUES = 50
LONGEST_SECONDS = upper_edge_ms(BINS - 2) / 1_000

_LATENCY_ONLY_IF_SLOW = {Outcome.CLIENT_ERROR, Outcome.CANCELLED}
_JUST_SLOW_SECONDS = nextafter(SLOW_SECONDS, LONGEST_SECONDS)
_NO_SLOTS = (0,) * SLOTS
_Record: TypeAlias = tuple[DeploymentVersion, str, Outcome, float, int, int | None]
_LineKey: TypeAlias = tuple[DeploymentVersion, str, Outcome, int, bool]


class CanaryMetricsCollector:
    """Counts requests; any thread may record while another drains, and none is lost or counted twice.

    A record is appended to a queue (one atomic operation) and counted in batches of `BATCH`, by whoever fills one up or
    by the drain: docs/decisions/0002. Memory is bounded: the first `max_endpoints` that were ever seen are kept apart,
    later ones are counted as `OTHER_ENDPOINT`.
    """

    def __init__(self, max_endpoints: int = 512) -> None:
        self.max_endpoints = max_endpoints
        self._pending: deque[_Record] = deque()
        self._endpoints = {OTHER_ENDPOINT}
        self._lines: dict[_LineKey, _Line] = {}
        self._slow_opened: Counter[CellKey] = Counter()
        self._slow_closed: Counter[CellKey] = Counter()
        self._diverted: dict[str, list[int]] = {}
        self._values: dict[CellKey, dict[str, Moments]] = defaultdict(dict)
        self._names: set[str] = set()
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

        The latency of a client error or a cancelled request counts only above 2 s. A latency below 0 counts as 0 and
        one above `LONGEST_SECONDS` as that; with one that is not a number the request is counted and its latency is
        not. A status outside 100..599 counts as none.
        """
        pending = self._pending
        pending.append((version, endpoint, outcome, seconds, status, slot))
        if len(pending) >= BATCH:
            with self._lock:
                self._count_pending()

    def slow(self, version: DeploymentVersion, endpoint: str, slot: int | None) -> None:
        """Count a request that has been in flight for 2 s, and is."""
        with self._lock:
            self._slow_opened[CellKey(version, self._known(endpoint), slot is not None)] += 1

    def slow_ended(self, version: DeploymentVersion, endpoint: str, slot: int | None) -> None:
        """Count the end of a request for which `slow` was called; `record` it as well."""
        with self._lock:
            self._slow_closed[CellKey(version, self._known(endpoint), slot is not None)] += 1

    def divert(self, endpoint: str, slot: int) -> None:
        """Count a request that the bucket gave to the canary and that LEGACY answers instead; `record` it as well."""
        with self._lock:
            self._diverted.setdefault(self._known(endpoint), [0] * SLOTS)[slot] += 1

    def record_value(
        self, version: DeploymentVersion, endpoint: str, name: str, value: float, *, compared: bool
    ) -> bool:
        """Count a business measure; False when there are `MAX_VALUES` names already and this is another one."""
        with self._lock:
            if name not in self._names and len(self._names) >= MAX_VALUES:
                return False
            self._names.add(name)
            values = self._values[CellKey(version, self._known(endpoint), compared)]
            values[name] = add(values.get(name, NONE), Moments(1, value, 0.0))
        return True

    def drain(self) -> Mapping[CellKey, Cell]:
        """Everything since the last drain, which is thereby taken."""
        with self._lock:
            self._count_pending()
            lines, self._lines = self._lines, {}
            opened, self._slow_opened = self._slow_opened, Counter()
            closed, self._slow_closed = self._slow_closed, Counter()
            diverted, self._diverted = self._diverted, {}
            values, self._values = self._values, defaultdict(dict)
        parts: defaultdict[CellKey, list[Cell]] = defaultdict(list)
        for (version, endpoint, outcome, status, compared), line in lines.items():
            parts[CellKey(version, endpoint, compared)].append(line.cell(outcome, status))
        for key in opened | closed:
            parts[key].append(Cell(slow_opened=opened[key], slow_closed=closed[key]))
        for endpoint, slots in diverted.items():
            parts[CellKey(DeploymentVersion.LEGACY, endpoint, compared=False)].append(Cell(slot_others=tuple(slots)))
        for key, measured in values.items():
            parts[key].append(Cell(values=measured))
        return {key: merge(cells) for key, cells in parts.items()}

    def _count_pending(self) -> None:
        find = self._lines.get
        take = self._pending.popleft
        for _ in range(len(self._pending)):  # only the holder of the lock takes, so at least that many are there
            version, endpoint, outcome, seconds, status, slot = take()
            line = find((version, endpoint, outcome, status, slot is not None))
            if line is None:
                line = self._line((version, endpoint, outcome, status, slot is not None))
            if slot is None:
                line.requests += 1
            else:
                line.slots[slot] += 1
            if not line.shortest_seconds <= seconds <= LONGEST_SECONDS:
                clamped = min(max(seconds, 0.0), LONGEST_SECONDS)
                if not clamped >= line.shortest_seconds:  # too short to count, or not a number
                    continue
                seconds = clamped
            timed = line.latency[bisect_left(EDGES_SECONDS, seconds)]  # `bin_of` without the price of a call
            timed[0] += 1
            timed[1] += seconds

    def _line(self, key: "_LineKey") -> "_Line":
        version, endpoint, outcome, status, compared = key
        known_status = status if 100 <= status <= 599 else 0
        return self._lines.setdefault((version, self._known(endpoint), outcome, known_status, compared), _Line(outcome))

    def _known(self, endpoint: str) -> str:
        if endpoint not in self._endpoints:
            if len(self._endpoints) > self.max_endpoints:
                return OTHER_ENDPOINT
            self._endpoints.add(endpoint)
        return endpoint


class _Line:
    """The requests of one cell that ended alike: in `slots` if they are compared, else in `requests`."""

    __slots__ = ("latency", "requests", "shortest_seconds", "slots")

    def __init__(self, outcome: Outcome) -> None:
        self.requests = 0
        self.latency: defaultdict[int, list[float]] = defaultdict(lambda: [0, 0.0])  # count, seconds
        self.slots = [0] * SLOTS
        self.shortest_seconds = _JUST_SLOW_SECONDS if outcome in _LATENCY_ONLY_IF_SLOW else 0.0

    def cell(self, outcome: Outcome, status: int) -> Cell:
        compared = sum(self.slots)
        requests = self.requests + compared
        slots = tuple(self.slots) if compared else ()
        valid_slots = slots if outcome in VALID else ()
        return Cell(
            outcomes={outcome: requests},
            statuses={status: requests},
            latency={bin_: int(count) for bin_, (count, _) in self.latency.items()},
            latency_seconds={bin_: seconds for bin_, (_, seconds) in self.latency.items()},
            slot_requests=valid_slots,
            slot_errors=valid_slots if outcome in ERRORS else _NO_SLOTS[: len(valid_slots)],
            slot_client_errors=slots if outcome is Outcome.CLIENT_ERROR else (),
            slot_others=slots if outcome is Outcome.CANCELLED else (),
        )
