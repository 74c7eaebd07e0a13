"""Slices too small to compare wait for each other: one split's counts of an endpoint, until they are enough."""

from collections.abc import Mapping
from typing import NamedTuple

from serinus.analysis.evidence import OpenStratum
from serinus.analysis.slices import Slice
from serinus.analysis.tables import CANARY, LEGACY, Count, Table

# In a slice with one canary request and no LEGACY request nothing can be compared, and most 2 s slices of a service
# with one request a second are like that. Under one split users are alike whenever they come, so slices may be
# joined; when to close depends on how many requests there were, never on how they ended.
ENOUGH_REQUESTS = 20
LONGEST_SECONDS = 60.0


class Strata(NamedTuple):
    """`closed` are ready to be compared, `open` wait for more."""

    closed: tuple[OpenStratum, ...]
    open: Mapping[str, OpenStratum]


def gather(waiting: Mapping[str, OpenStratum], tables: Mapping[str, Table], slice_: Slice) -> Strata:
    """Add a slice's tables, by endpoint, to the strata that wait; a change of the split closes those from before it."""
    still_open = dict(waiting)
    closed = []
    for endpoint, table in tables.items():
        stratum = OpenStratum(slice_.started_at, slice_.split_revision, table)
        before = still_open.get(endpoint)
        if before is not None and before.split_revision > stratum.split_revision:
            closed.append(stratum)
            continue
        if before is not None and before.split_revision == stratum.split_revision:
            started_at = min(before.started_at, stratum.started_at)
            stratum = OpenStratum(started_at, stratum.split_revision, before.table + table)
        elif before is not None:
            closed.append(before)
        if _enough(stratum.table, slice_.ended_at - stratum.started_at):
            closed.append(stratum)
            still_open.pop(endpoint, None)
        else:
            still_open[endpoint] = stratum
    return Strata(tuple(stratum for stratum in closed if _comparable(stratum.table)), still_open)


def _comparable(table: Table) -> bool:
    return bool(table.counts[LEGACY, Count.ANSWERED] > 0 and table.counts[CANARY, Count.ANSWERED] > 0)


def _enough(table: Table, seconds: float) -> bool:
    requests = table.counts[:, Count.ANSWERED].sum()
    return _comparable(table) and bool(requests >= ENOUGH_REQUESTS or seconds >= LONGEST_SECONDS)
