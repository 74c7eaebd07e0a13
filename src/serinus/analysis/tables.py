"""Counts of both versions as arrays: strata, and their sums with LEGACY weighted to the canary's traffic."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from serinus.analysis.arrays import Floats
from serinus.metrics.sketch import BINS, SLOW_BIN, mean_ms
from serinus.metrics.snapshot import SLOTS, Cell

LEGACY, CANARY = 0, 1
REQUESTS_OF_SLOT, ERRORS_OF_SLOT, CLIENT_ERRORS_OF_SLOT = 0, 1, 2
_IN_FLIGHT_SECONDS = mean_ms(SLOW_BIN + 1, 0, 0) / 1_000  # what stands for a latency over 2 s that is not known yet


class Count(IntEnum):
    """Columns of `Table.counts`."""

    REQUESTS = 0
    VALID = 1
    ERRORS = 2
    FAILED = 3
    ANSWERED = 4
    CLIENT_ERRORS = 5


# What each column is a part of: rates are compared column over denominator.
DENOMINATORS = np.array([Count.REQUESTS, Count.VALID, Count.VALID, Count.VALID, Count.ANSWERED, Count.ANSWERED])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What both versions did in one stratum; first index LEGACY, CANARY. Whole numbers, kept as floats.

    `counts`: 2 x `Count`. `latency`: 2 x `BINS`; a request in flight for over 2 s stands in the bin above until it
    ends, so a single slice may hold negative numbers there. `seconds`: the sums of these latencies, in 2 x `BINS`.
    `slots`: 2 x (valid requests, errors, client errors) x `SLOTS`.
    """

    counts: Floats
    latency: Floats
    seconds: Floats
    slots: Floats

    def __add__(self, other: "Table") -> "Table":
        return Table(
            self.counts + other.counts,
            self.latency + other.latency,
            self.seconds + other.seconds,
            self.slots + other.slots,
        )


def empty_table() -> Table:
    return Table(np.zeros((2, len(Count))), np.zeros((2, BINS)), np.zeros((2, BINS)), np.zeros((2, 3, SLOTS)))


def table_of(legacy: Cell, canary: Cell) -> Table:
    table = empty_table()
    for arm, cell in ((LEGACY, legacy), (CANARY, canary)):
        answered = cell.valid + cell.client_errors
        table.counts[arm] = (cell.requests, cell.valid, cell.errors, cell.failed, answered, cell.client_errors)
        _fill_latency(table.latency[arm], table.seconds[arm], cell)
        if cell.slot_requests:
            table.slots[arm, :CLIENT_ERRORS_OF_SLOT] = (cell.slot_requests, cell.slot_errors)
        if cell.slot_client_errors:
            table.slots[arm, CLIENT_ERRORS_OF_SLOT] = cell.slot_client_errors
    return table


def _fill_latency(latency: Floats, seconds: Floats, cell: Cell) -> None:
    for row, numbers in ((latency, cell.latency), (seconds, cell.latency_seconds)):
        if numbers:
            row[np.fromiter(numbers.keys(), dtype=np.intp)] = np.fromiter(numbers.values(), dtype=np.float64)
    in_flight = cell.slow_opened - cell.slow_closed
    latency[SLOW_BIN + 1] += in_flight
    seconds[SLOW_BIN + 1] += in_flight * _IN_FLIGHT_SECONDS


def slots_of(slots: Floats, events: Count) -> Floats:
    """(requests, events) x `SLOTS` of errors or of client errors, which are counted among all that were answered."""
    if events is Count.CLIENT_ERRORS:
        client_errors = slots[CLIENT_ERRORS_OF_SLOT]
        return np.stack((slots[REQUESTS_OF_SLOT] + client_errors, client_errors))
    return slots[: ERRORS_OF_SLOT + 1]


def is_usable(cell: Cell) -> bool:
    """False for negative or infinite counts, latencies off the grid, and slots that are not `SLOTS`."""
    counts = (*cell.outcomes.values(), cell.slow_opened, cell.slow_closed)
    histogram = (cell.latency.values(), cell.latency_seconds.values())
    slots = (cell.slot_requests, cell.slot_errors, cell.slot_client_errors)
    lengths = tuple(map(len, slots))
    return (
        all(_are_counts(numbers) for numbers in (counts, *histogram, *slots))
        and lengths[0] == lengths[1]
        and {0, SLOTS}.issuperset(lengths)
        and (not cell.latency or (min(cell.latency) >= 0 and max(cell.latency) < BINS))
        and cell.latency_seconds.keys() <= cell.latency.keys()
    )


def _are_counts(numbers: Collection[float]) -> bool:
    return not numbers or (min(numbers) >= 0 and math.isfinite(sum(numbers)))


def total(tables: Mapping[str, Table]) -> Table:
    """All endpoints together."""
    summed = empty_table()
    for table in tables.values():
        summed = summed + table
    return summed


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The canary's sums over strata, and what LEGACY would have had in the canary's place.

    LEGACY's counts of each stratum are weighted by canary / LEGACY requests, so neither a daily pattern nor a ramp of
    the share looks like a difference (Simpson's paradox). Strata without LEGACY traffic do not count here.
    `counts`, `latency` and `seconds` are shaped as in `Table`, `slots` are the canary's, `legacy_valid` is LEGACY's
    unweighted.
    """

    counts: Floats
    latency: Floats
    seconds: Floats
    slots: Floats
    legacy_valid: float

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.counts + other.counts,
            self.latency + other.latency,
            self.seconds + other.seconds,
            self.slots + other.slots,
            self.legacy_valid + other.legacy_valid,
        )

    def rates(self, column: Count) -> tuple[float, float] | None:
        """(LEGACY, canary) rate of `column` in its denominator; None without matched traffic."""
        legacy, canary = self.counts[:, DENOMINATORS[column]]
        if canary <= 0 or legacy <= 0:
            return None
        return float(self.counts[LEGACY, column] / legacy), float(self.counts[CANARY, column] / canary)


def empty_tally() -> Tally:
    return Tally(np.zeros((2, len(Count))), np.zeros((2, BINS)), np.zeros((2, BINS)), np.zeros((3, SLOTS)), 0.0)


def matched(table: Table) -> Tally:
    """One stratum, LEGACY weighted to the canary's traffic."""
    weights = _ratios(table.counts[CANARY, DENOMINATORS], table.counts[LEGACY, DENOMINATORS])
    here = table.counts[LEGACY, DENOMINATORS] > 0
    seen = table.latency.sum(axis=1)
    legacy_weight = seen[CANARY] / seen[LEGACY] if seen[LEGACY] > 0 and seen[CANARY] > 0 else 0.0
    latency_weights = np.array([[legacy_weight], [float(seen[LEGACY] > 0)]])
    slots = table.slots[CANARY] * here[[Count.VALID, Count.VALID, Count.ANSWERED], None]
    return Tally(
        np.stack((table.counts[LEGACY] * weights, table.counts[CANARY] * here)),
        table.latency * latency_weights,
        table.seconds * latency_weights,
        slots,
        float(table.counts[LEGACY, Count.VALID]),
    )


def _ratios(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
