"""Counts of both versions as arrays: strata, and their sums with LEGACY weighted to the canary's traffic."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import chain

import numpy as np

from serinus.analysis.arrays import Floats
from serinus.metrics.sketch import BINS, SLOW_BIN, mean_ms
from serinus.metrics.snapshot import ERRORS, SLOTS, VALID, Cell, Outcome

LEGACY, CANARY = 0, 1
REQUESTS_OF_SLOT, ERRORS_OF_SLOT, CLIENT_ERRORS_OF_SLOT, OTHERS_OF_SLOT = 0, 1, 2, 3
SLOT_KINDS = 4
_IN_FLIGHT_SECONDS = mean_ms(SLOW_BIN + 1, 0, 0) / 1_000  # what stands for a latency over 2 s that is not known yet
_OUTCOMES = tuple(Outcome)


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
_SLOT_DENOMINATORS = [Count.VALID, Count.VALID, Count.ANSWERED, Count.REQUESTS]
# Which outcomes each column counts, outcomes x `Count`.
_COUNTED = np.array(
    [
        (
            1.0,
            outcome in VALID,
            outcome in ERRORS,
            outcome is Outcome.FAILED,
            outcome in VALID or outcome is Outcome.CLIENT_ERROR,
            outcome is Outcome.CLIENT_ERROR,
        )
        for outcome in _OUTCOMES
    ]
)
_NO_COUNTS: tuple[int, ...] = (0,) * SLOTS


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What both versions did: in one stratum, or in several along a leading axis that the shapes below leave out.

    The first index is LEGACY or CANARY. Whole numbers, kept as floats. `counts`: 2 x `Count`. `latency`: 2 x `BINS`; a
    request in flight for over 2 s stands in the bin above until it ends, so a single slice may hold negative numbers
    there. `seconds`: the sums of these latencies, in 2 x `BINS`. `slots`: 2 x (valid requests, errors, client errors,
    others) x `SLOTS`.
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

    def summed(self) -> "Table":
        """All strata together."""
        return Table(*(array.sum(axis=0) for array in (self.counts, self.latency, self.seconds, self.slots)))

    def pick(self, strata: int | Sequence[int]) -> "Table":
        """One stratum, or some of them."""
        return Table(self.counts[strata], self.latency[strata], self.seconds[strata], self.slots[strata])


def stack(tables: Sequence[Table]) -> Table:
    """Several strata as one table."""
    return Table(
        np.stack([table.counts for table in tables]),
        np.stack([table.latency for table in tables]),
        np.stack([table.seconds for table in tables]),
        np.stack([table.slots for table in tables]),
    )


def empty_table() -> Table:
    return Table(np.zeros((2, len(Count))), np.zeros((2, BINS)), np.zeros((2, BINS)), np.zeros((2, SLOT_KINDS, SLOTS)))


def tabulate(pairs: Sequence[tuple[Cell, Cell]]) -> Table | None:
    """A stratum for each pair of LEGACY's and the canary's cell, of which there is at least one.

    None if any count cannot be: negative or infinite, a latency off the grid or without a request, slots that are not
    `SLOTS`.
    """
    cells = list(chain.from_iterable(pairs))
    latency, seconds = (_scatter(rows) for rows in ([c.latency for c in cells], [c.latency_seconds for c in cells]))
    slots = _slots(cells)
    outcomes = np.array([[cell.outcomes.get(outcome, 0) for outcome in _OUTCOMES] for cell in cells], dtype=np.float64)
    slow = np.array([(cell.slow_opened, cell.slow_closed) for cell in cells], dtype=np.float64)
    arrays = (latency, seconds, slots, outcomes, slow)
    if latency is None or seconds is None or slots is None or not all(map(_are_counts, arrays)):
        return None
    if (seconds[latency == 0] > 0).any():
        return None
    in_flight = slow[:, 0] - slow[:, 1]
    latency[:, SLOW_BIN + 1] += in_flight
    seconds[:, SLOW_BIN + 1] += in_flight * _IN_FLIGHT_SECONDS
    strata = (len(pairs), 2)
    return Table(
        (outcomes @ _COUNTED).reshape(*strata, -1),
        latency.reshape(*strata, -1),
        seconds.reshape(*strata, -1),
        slots.reshape(*strata, SLOT_KINDS, SLOTS),
    )


def _scatter(rows: Sequence[Mapping[int, float]]) -> Floats | None:
    """Sparse histograms as rows of `BINS`; None if one leaves the grid."""
    sizes = [len(row) for row in rows]
    length = sum(sizes)
    bins = np.fromiter(chain.from_iterable(rows), np.intp, length)
    numbers = np.fromiter(chain.from_iterable(row.values() for row in rows), np.float64, length)
    if length and (bins.min() < 0 or bins.max() >= BINS):
        return None
    dense = np.zeros(len(rows) * BINS)
    dense[np.repeat(np.arange(len(rows)) * BINS, sizes) + bins] = numbers
    return dense.reshape(-1, BINS)


def _slots(cells: Sequence[Cell]) -> Floats | None:
    """Cells x `SLOT_KINDS` x `SLOTS`; None where they are not that many."""
    dense = np.zeros((len(cells), SLOT_KINDS, SLOTS))
    for row, cell in zip(dense, cells, strict=True):
        kinds = (cell.slot_requests, cell.slot_errors, cell.slot_client_errors, cell.slot_others)
        lengths = tuple(map(len, kinds))
        if lengths[0] != lengths[1] or not {0, SLOTS}.issuperset(lengths):
            return None
        for kind, counts in enumerate(kinds):
            if counts and counts != _NO_COUNTS:
                row[kind] = counts
    return dense


def _are_counts(numbers: Floats | None) -> bool:
    return numbers is not None and bool(numbers.min(initial=0.0) >= 0) and math.isfinite(numbers.sum())


def slots_of(slots: Floats, events: Count) -> Floats:
    """(requests, events) x `SLOTS` of errors or of client errors, which are counted among all that were answered."""
    if events is Count.CLIENT_ERRORS:
        client_errors = slots[CLIENT_ERRORS_OF_SLOT]
        return np.stack((slots[REQUESTS_OF_SLOT] + client_errors, client_errors))
    return slots[: ERRORS_OF_SLOT + 1]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The canary's sums over strata, and what LEGACY would have had in the canary's place.

    LEGACY's counts of each stratum are weighted by canary / LEGACY requests, so neither a daily pattern nor a ramp of
    the share looks like a difference (Simpson's paradox). Strata without LEGACY traffic do not count here.
    `counts`, `latency` and `seconds` are shaped as in `Table`, leading axis included; `slots` are the canary's.
    """

    counts: Floats
    latency: Floats
    seconds: Floats
    slots: Floats

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.counts + other.counts,
            self.latency + other.latency,
            self.seconds + other.seconds,
            self.slots + other.slots,
        )

    def summed(self, strata: "np.typing.NDArray[np.bool_] | None" = None) -> "Tally":
        """All strata together, or those of the mask."""
        chosen = slice(None) if strata is None else strata
        arrays = (self.counts, self.latency, self.seconds, self.slots)
        return Tally(*(array[chosen].sum(axis=0) for array in arrays))

    def rates(self, column: Count) -> tuple[float, float] | None:
        """(LEGACY, canary) rate of `column` in its denominator; None without matched traffic."""
        legacy, canary = self.counts[:, DENOMINATORS[column]]
        if canary <= 0 or legacy <= 0:
            return None
        return float(self.counts[LEGACY, column] / legacy), float(self.counts[CANARY, column] / canary)


def empty_tally() -> Tally:
    return Tally(np.zeros((2, len(Count))), np.zeros((2, BINS)), np.zeros((2, BINS)), np.zeros((SLOT_KINDS, SLOTS)))


def matched(table: Table) -> Tally:
    """Each stratum with LEGACY weighted to the canary's traffic."""
    legacy, canary = (table.counts[:, arm, DENOMINATORS] for arm in (LEGACY, CANARY))
    here = legacy > 0
    weights = np.divide(canary, legacy, out=np.zeros_like(legacy), where=here)
    seen = table.latency.sum(axis=-1)
    both = (seen > 0).all(axis=-1)
    latency_weights = np.zeros_like(seen)
    np.divide(seen[:, CANARY], seen[:, LEGACY], out=latency_weights[:, LEGACY], where=both)
    latency_weights[:, CANARY] = seen[:, LEGACY] > 0
    slots = table.slots[:, CANARY] * here[:, _SLOT_DENOMINATORS, None]
    return Tally(
        np.stack((table.counts[:, LEGACY] * weights, table.counts[:, CANARY] * here), axis=1),
        table.latency * latency_weights[..., None],
        table.seconds * latency_weights[..., None],
        slots,
    )
