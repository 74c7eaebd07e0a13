"""Cells as arrays: the way from what was counted to what is compared, and the counts that cannot be."""

import math
from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from serinus.analysis.arrays import Floats
from serinus.analysis.tables import SLOT_KINDS, Latencies, Strata
from serinus.metrics.sketch import BINS, SLOW_BIN, mean_ms
from serinus.metrics.snapshot import ERRORS, SLOTS, VALID, Cell, Outcome

_IN_FLIGHT_SECONDS = mean_ms(SLOW_BIN + 1, 0, 0) / 1_000  # what stands for a latency over 2 s that is not known yet
_OUTCOMES = tuple(Outcome)
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


def tabulate(pairs: Sequence[tuple[Cell, Cell]]) -> Strata | None:
    """A stratum for each pair of LEGACY's and the canary's cell, of which there is at least one.

    None if any count cannot be: negative or infinite, a latency off the grid or without a request, slots that are not
    `SLOTS`.
    """
    cells = list(chain.from_iterable(pairs))
    latencies, slots = _latencies(cells), _slots(cells)
    outcomes = np.array([[cell.outcomes.get(outcome, 0) for outcome in _OUTCOMES] for cell in cells], dtype=np.float64)
    if latencies is None or slots is None or not _are_counts(slots) or not _are_counts(outcomes):
        return None
    slow = [(row, cell.slow_opened, cell.slow_closed) for row, cell in enumerate(cells)]
    in_flight = [each for each in slow if each[1] or each[2]]
    if in_flight:
        if not _are_counts(np.array(in_flight, dtype=np.float64)):
            return None
        latencies = _with_in_flight(latencies, in_flight)
    strata = (len(pairs), 2)
    return Strata((outcomes @ _COUNTED).reshape(*strata, -1), slots.reshape(*strata, SLOT_KINDS, SLOTS), latencies)


def _latencies(cells: Sequence[Cell]) -> Latencies | None:
    """None if one leaves the grid, or is no count."""
    sizes = [len(cell.latency) for cell in cells]
    length = sum(sizes)
    bins = np.fromiter(chain.from_iterable(cell.latency for cell in cells), np.intp, length)
    counts = np.fromiter(chain.from_iterable(cell.latency.values() for cell in cells), np.float64, length)
    seconds = _seconds(cells, bins, length)
    if seconds is None or not _are_counts(counts) or not _are_counts(seconds):
        return None
    if length and (bins.min() < 0 or bins.max() >= BINS or (seconds[counts == 0] > 0).any()):
        return None
    return Latencies(np.repeat(np.arange(len(cells)), sizes), bins, counts, seconds)


def _seconds(cells: Sequence[Cell], bins: NDArray[np.intp], length: int) -> Floats | None:
    """The sums that belong to the bins of `latency`; None if there is one without a latency."""
    if sum(len(cell.latency_seconds) for cell in cells) == length:
        there = np.fromiter(chain.from_iterable(cell.latency_seconds for cell in cells), np.intp, length)
        if (there == bins).all():
            sums = chain.from_iterable(cell.latency_seconds.values() for cell in cells)
            return np.fromiter(sums, np.float64, length)
    if any(sum_ and bin_ not in cell.latency for cell in cells for bin_, sum_ in cell.latency_seconds.items()):
        return None
    return np.array([cell.latency_seconds.get(bin_, 0.0) for cell in cells for bin_ in cell.latency], dtype=np.float64)


def _with_in_flight(latencies: Latencies, slow: Sequence[tuple[int, int, int]]) -> Latencies:
    """With the requests that passed 2 s in flight, less those that have ended since: they are counted by now."""
    rows, opened, closed = (np.array(column) for column in zip(*slow, strict=True))
    more = (opened - closed).astype(np.float64)
    return Latencies(
        np.concatenate((latencies.rows, rows)),
        np.concatenate((latencies.bins, np.full(len(rows), SLOW_BIN + 1))),
        np.concatenate((latencies.counts, more)),
        np.concatenate((latencies.seconds, more * _IN_FLIGHT_SECONDS)),
    )


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


def _are_counts(numbers: Floats) -> bool:
    return bool(numbers.min(initial=0.0) >= 0) and math.isfinite(numbers.sum())
