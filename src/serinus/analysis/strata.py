"""Slices too small to compare wait for each other: one split's counts of an endpoint, until they are enough."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from serinus.analysis.arrays import Floats
from serinus.analysis.evidence import OpenStratum
from serinus.analysis.slices import Slice
from serinus.analysis.tables import Count, Strata, stack

# In a slice with one canary request and no LEGACY request nothing can be compared, and most 2 s slices of a service
# with one request a second are like that. Under one split users are alike whenever they come, so slices may be
# joined; when to close depends on how many requests there were, never on how they ended.
ENOUGH_REQUESTS = 20
LONGEST_SECONDS = 60.0


class Closed(NamedTuple):
    """Strata that are ready to be compared; an endpoint has two of them when the split has changed."""

    endpoints: tuple[str, ...]
    started_at: Floats
    split_revisions: tuple[int, ...]
    strata: Strata


def gather(
    waiting: Mapping[str, OpenStratum], endpoints: Sequence[str], strata: Strata, slice_: Slice
) -> tuple[Closed | None, Mapping[str, OpenStratum]]:
    """Add a slice's strata, by endpoint, to those that wait; a change of the split closes those from before it.

    The strata that are ready now, if there are any, and those that wait on.
    """
    enough = _enough(strata.counts, slice_.ended_at - slice_.started_at)
    ready = [row for row, name in enumerate(endpoints) if enough[row] and name not in waiting]
    if len(ready) == len(endpoints):
        return _at_once(endpoints, strata, slice_), waiting
    still_open = dict(waiting)
    joined: list[tuple[str, OpenStratum]] = []
    for row in sorted(set(range(len(endpoints))).difference(ready)):
        stratum = OpenStratum(slice_.started_at, slice_.split_revision, strata.pick(row))
        joined += ((endpoints[row], each) for each in _join(still_open, endpoints[row], stratum, slice_.ended_at))
    if not ready and not joined:
        return None, still_open
    at_once = _at_once([endpoints[row] for row in ready], strata.only(ready), slice_)
    return _with(at_once, joined), still_open


def _at_once(endpoints: Sequence[str], strata: Strata, slice_: Slice) -> Closed:
    count = len(endpoints)
    return Closed(tuple(endpoints), np.full(count, slice_.started_at), (slice_.split_revision,) * count, strata)


def _join(
    still_open: dict[str, OpenStratum], endpoint: str, stratum: OpenStratum, ended_at: float
) -> list[OpenStratum]:
    """Put the stratum with the one that waits, and take out what has become ready and can be compared."""
    ready = []
    before = still_open.get(endpoint)
    if before is not None and before.split_revision > stratum.split_revision:
        return [stratum] if _comparable(stratum.table.counts) else []
    if before is not None and before.split_revision == stratum.split_revision:
        started_at = min(before.started_at, stratum.started_at)
        stratum = OpenStratum(started_at, stratum.split_revision, before.table + stratum.table)
    elif before is not None:
        ready.append(before)
    if _enough(stratum.table.counts, ended_at - stratum.started_at):
        ready.append(stratum)
        still_open.pop(endpoint, None)
    else:
        still_open[endpoint] = stratum
    return [each for each in ready if _comparable(each.table.counts)]


def _with(closed: Closed, joined: Sequence[tuple[str, OpenStratum]]) -> Closed:
    if not joined:
        return closed
    strata = [stratum for _, stratum in joined]
    return Closed(
        (*closed.endpoints, *(endpoint for endpoint, _ in joined)),
        np.concatenate((closed.started_at, [stratum.started_at for stratum in strata])),
        (*closed.split_revisions, *(stratum.split_revision for stratum in strata)),
        closed.strata + stack([stratum.table for stratum in strata]),
    )


def _comparable(counts: Floats) -> np.typing.NDArray[np.bool_]:
    """By stratum: whether both versions answered. `counts` as in `Table`, any leading axes kept."""
    return np.asarray((counts[..., Count.ANSWERED] > 0).all(axis=-1))


def _enough(counts: Floats, seconds: float) -> np.typing.NDArray[np.bool_]:
    requests = counts[..., Count.ANSWERED].sum(axis=-1)
    return np.asarray(_comparable(counts) & ((requests >= ENOUGH_REQUESTS) | (seconds >= LONGEST_SECONDS)))
