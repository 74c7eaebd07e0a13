"""Counts of both versions as arrays: strata, and their sums with LEGACY weighted to the canary's traffic."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serinus.analysis.arrays import Floats
from serinus.metrics.sketch import BINS
from serinus.metrics.snapshot import SLOTS

LEGACY, CANARY = 0, 1
REQUESTS_OF_SLOT, ERRORS_OF_SLOT, CLIENT_ERRORS_OF_SLOT, OTHERS_OF_SLOT = 0, 1, 2, 3
SLOT_KINDS = 4


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
_SLOT_DENOMINATORS = np.array([Count.VALID, Count.VALID, Count.ANSWERED, Count.REQUESTS])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What both versions did, all strata together or in one.

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


def empty_table() -> Table:
    return Table(np.zeros((2, len(Count))), np.zeros((2, BINS)), np.zeros((2, BINS)), np.zeros((2, SLOT_KINDS, SLOTS)))


class Latencies(NamedTuple):
    """Histograms of many rows, of which most bins are empty: an entry for each bin that is not.

    Row 2 s + v is version v in stratum s. Entries of the same row and bin add up.
    """

    rows: NDArray[np.intp]
    bins: NDArray[np.intp]
    counts: Floats
    seconds: Floats

    def summed(self) -> tuple[Floats, Floats]:
        """(counts, seconds) of all strata together, both 2 x `BINS`."""
        places = (self.rows & 1) * BINS + self.bins
        return _add_up(places, self.counts), _add_up(places, self.seconds)

    def of(self, strata: Sequence[int]) -> "Latencies":
        """Those of some strata, which are counted from 0 again."""
        rank = np.full(2 * (max(strata, default=0) + 1), -1)
        for place, stratum in enumerate(strata):
            rank[2 * stratum : 2 * stratum + 2] = 2 * place, 2 * place + 1
        rows = rank[np.minimum(self.rows, len(rank) - 1)]
        here = (rows >= 0) & (self.rows < len(rank))
        return Latencies(rows[here], self.bins[here], self.counts[here], self.seconds[here])


def _add_up(places: NDArray[np.intp], numbers: Floats) -> Floats:
    return np.asarray(np.bincount(places, numbers, 2 * BINS).reshape(2, BINS), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """What both versions did in each of several strata: `counts` and `slots` as in `Table`, after an axis of strata."""

    counts: Floats
    slots: Floats
    latencies: Latencies

    def __len__(self) -> int:
        return len(self.counts)

    def summed(self) -> Table:
        """All strata together."""
        return Table(self.counts.sum(axis=0), *self.latencies.summed(), self.slots.sum(axis=0))

    def pick(self, stratum: int) -> Table:
        """One stratum."""
        return Table(self.counts[stratum], *self.latencies.of([stratum]).summed(), self.slots[stratum])

    def only(self, strata: Sequence[int]) -> "Strata":
        """Some strata, in that order."""
        return Strata(self.counts[strata], self.slots[strata], self.latencies.of(strata))

    def __add__(self, other: "Strata") -> "Strata":
        """These strata, then the others."""
        joined = (np.concatenate(pair) for pair in zip(self.latencies[1:], other.latencies[1:], strict=True))
        rows = np.concatenate((self.latencies.rows, other.latencies.rows + 2 * len(self)))
        return Strata(
            np.concatenate((self.counts, other.counts)),
            np.concatenate((self.slots, other.slots)),
            Latencies(rows, *joined),
        )


def stack(tables: Sequence[Table]) -> Strata:
    """Each table as a stratum."""
    latency = np.concatenate([table.latency for table in tables])
    seconds = np.concatenate([table.seconds for table in tables])
    rows, bins = ((latency != 0) | (seconds != 0)).nonzero()
    return Strata(
        np.stack([table.counts for table in tables]),
        np.stack([table.slots for table in tables]),
        Latencies(rows, bins, latency[rows, bins], seconds[rows, bins]),
    )


def slots_of(slots: Floats, events: Count) -> Floats:
    """(requests, events) x `SLOTS` of errors or of client errors, which are counted among all that were answered."""
    if events is Count.CLIENT_ERRORS:
        client_errors = slots[CLIENT_ERRORS_OF_SLOT]
        return np.array((slots[REQUESTS_OF_SLOT] + client_errors, client_errors))
    return slots[: ERRORS_OF_SLOT + 1]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The canary's sums over strata, and what LEGACY would have had in the canary's place.

    LEGACY's counts of each stratum are weighted by canary / LEGACY requests, so neither a daily pattern nor a ramp of
    the share looks like a difference (Simpson's paradox). Strata without LEGACY traffic do not count here.
    `counts`, `latency` and `seconds` are shaped as in `Table`; `slots` are the canary's.
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

    def rates(self, column: Count) -> tuple[float, float] | None:
        """(LEGACY, canary) rate of `column` in its denominator; None without matched traffic."""
        legacy, canary = self.counts[:, DENOMINATORS[column]]
        if canary <= 0 or legacy <= 0:
            return None
        return float(self.counts[LEGACY, column] / legacy), float(self.counts[CANARY, column] / canary)


def empty_tally() -> Tally:
    return Tally(np.zeros((2, len(Count))), np.zeros((2, BINS)), np.zeros((2, BINS)), np.zeros((SLOT_KINDS, SLOTS)))


class Matched(NamedTuple):
    """Each stratum with LEGACY weighted to the canary's traffic: as in `Tally`, after an axis of strata."""

    counts: Floats
    slots: Floats
    latencies: Latencies

    def summed(self) -> Tally:
        """All strata together."""
        return Tally(self.counts.sum(axis=0), *self.latencies.summed(), self.slots.sum(axis=0))

    def only(self, strata: Sequence[int]) -> "Matched":
        return Matched(self.counts[strata], self.slots[strata], self.latencies.of(strata))


def matched(strata: Strata) -> Matched:
    legacy, canary = (strata.counts[:, arm, DENOMINATORS] for arm in (LEGACY, CANARY))
    here = legacy > 0
    weights = np.empty(strata.counts.shape)
    weights[:, LEGACY], weights[:, CANARY] = np.divide(canary, legacy, out=np.zeros(legacy.shape), where=here), here
    counts = strata.counts * weights
    found = strata.latencies
    seen = np.bincount(found.rows, found.counts, 2 * len(strata)).reshape(-1, 2)
    by_row = np.zeros(seen.shape)
    by_row[:, CANARY] = seen[:, LEGACY] > 0
    np.divide(seen[:, CANARY], seen[:, LEGACY], out=by_row[:, LEGACY], where=(seen > 0).all(axis=1))
    each = by_row.ravel()[found.rows]
    latencies = Latencies(found.rows, found.bins, found.counts * each, found.seconds * each)
    return Matched(counts, strata.slots[:, CANARY] * here[:, _SLOT_DENOMINATORS, None], latencies)
