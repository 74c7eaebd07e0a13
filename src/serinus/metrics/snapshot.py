"""What one process counted between two drains, and the formulas that turn counts into rates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum
from operator import add
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from serinus.deployment import DeploymentVersion
from serinus.metrics import moments
from serinus.metrics.moments import Moments

SLOTS = 64
SLICE_SECONDS = 2.0


_Key = TypeVar("_Key")
_Number = TypeVar("_Number", int, float)


class Outcome(StrEnum):
    """How a request ended.

    CLIENT_ERROR (4xx) is never the version's fault. DEGRADED was answered, but not with what the user should have had.
    CANCELLED means that the client went away first: it counts for nobody, yet its latency does once it had taken 2 s.
    """

    OK = "ok"
    CLIENT_ERROR = "client_error"
    FAILED = "failed"
    DEGRADED = "degraded"
    CANCELLED = "cancelled"


ERRORS = frozenset({Outcome.FAILED, Outcome.DEGRADED})
"""What the user should not have had."""
VALID = ERRORS | {Outcome.OK}
"""Requests that the version had to answer well: neither client errors nor cancelled ones."""


class CellKey(NamedTuple):
    """Whose counts. `compared`: the bucket alone assigned these requests, so that both versions' users are alike."""

    version: DeploymentVersion
    endpoint: str
    compared: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts of one version on one endpoint; adding two cells gives the cell of both.

    `latency` is sparse: bin of `metrics.sketch` -> count; `latency_seconds` is the sum of the latencies in each of
    these bins, which makes a quantile that is shown more precise than the grid. `slow_opened` counts requests that
    passed 2 s while in flight, `slow_closed` those of them that have ended since and are therefore in `latency` too.
    `slot_requests` and `slot_errors` (`SLOTS` numbers each, or none) count valid requests by a hash of the subject,
    `slot_client_errors` those that are not valid for being client errors. `slot_others` are requests that count for the
    split alone: cancelled ones, and on LEGACY those that the bucket had given to a canary which the breaker kept them
    from. `values`: business measures by name.
    """

    outcomes: Mapping[Outcome, int] = field(default_factory=lambda: MappingProxyType({}))
    statuses: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    latency: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    latency_seconds: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    slow_opened: int = 0
    slow_closed: int = 0
    slot_requests: tuple[int, ...] = ()
    slot_errors: tuple[int, ...] = ()
    slot_client_errors: tuple[int, ...] = ()
    slot_others: tuple[int, ...] = ()
    values: Mapping[str, Moments] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def requests(self) -> int:
        """All requests that ended."""
        return sum(self.outcomes.values())

    @property
    def latency_sum_seconds(self) -> float:
        """Of all requests in `latency`."""
        return fsum(self.latency_seconds.values())

    @property
    def client_errors(self) -> int:
        return self.outcomes.get(Outcome.CLIENT_ERROR, 0)

    @property
    def valid(self) -> int:
        """Requests whose outcome is one of `VALID`."""
        return sum(self.outcomes.get(outcome, 0) for outcome in VALID)

    @property
    def failed(self) -> int:
        return self.outcomes.get(Outcome.FAILED, 0)

    @property
    def errors(self) -> int:
        """Requests whose outcome is one of `ERRORS`."""
        return sum(self.outcomes.get(outcome, 0) for outcome in ERRORS)

    @property
    def error_rate(self) -> float | None:
        """Errors / valid, 0..1; None without a valid request."""
        return self.errors / self.valid if self.valid else None

    @property
    def availability(self) -> float | None:
        """1 - failed / valid, 0..1; None without a valid request."""
        return 1 - self.failed / self.valid if self.valid else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One agent's counts from `started_at` to `ended_at` (epoch seconds) under one split.

    (`agent`, `sequence`) is unique.
    `dropped` counts requests whose counts were given up since the last snapshot because the store was away too long.
    """

    agent: str
    sequence: int
    started_at: float
    ended_at: float
    split_revision: int
    cells: Mapping[CellKey, Cell]
    dropped: int = 0


def merge(cells: Iterable[Cell]) -> Cell:
    """The cell of all requests together: exact in every count, `latency_seconds` to the rounding of a float.

    For the counts the order is therefore without effect; the sums may differ in the last bits.
    """
    parts = tuple(cells)
    if len(parts) == 1:
        return parts[0]
    return Cell(
        outcomes=_sum_by_key(cell.outcomes for cell in parts),
        statuses=_sum_by_key(cell.statuses for cell in parts),
        latency=_sum_by_key(cell.latency for cell in parts),
        latency_seconds=_sum_by_key(cell.latency_seconds for cell in parts),
        slow_opened=sum(cell.slow_opened for cell in parts),
        slow_closed=sum(cell.slow_closed for cell in parts),
        slot_requests=_sum_by_slot(cell.slot_requests for cell in parts),
        slot_errors=_sum_by_slot(cell.slot_errors for cell in parts),
        slot_client_errors=_sum_by_slot(cell.slot_client_errors for cell in parts),
        slot_others=_sum_by_slot(cell.slot_others for cell in parts),
        values=_sum_of_values(cell.values for cell in parts),
    )


def _sum_by_key(counts: Iterable[Mapping[_Key, _Number]]) -> Mapping[_Key, _Number]:
    total: dict[_Key, _Number] = {}
    before = total.get
    for count in counts:
        for key, number in count.items():
            total[key] = before(key, 0) + number
    return total


def _sum_of_values(several: Iterable[Mapping[str, Moments]]) -> Mapping[str, Moments]:
    total: dict[str, Moments] = {}
    for values in several:
        for name, measured in values.items():
            total[name] = moments.add(total[name], measured) if name in total else measured
    return total


def _sum_by_slot(counts: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    total: tuple[int, ...] = ()
    for count in filter(None, counts):
        total = tuple(map(add, total, count)) if total else count
    return total
