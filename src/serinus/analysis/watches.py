"""What is watched of the canary beside LEGACY, and which rollback tests belong to it."""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np

from serinus.analysis.comparison import Rollback
from serinus.analysis.verdict import Metric

CUSUM_CAP = 12.0  # nats


class Watch(IntEnum):
    """The comparisons that keep a CUSUM segment, in the order of `Comparison.segments`."""

    ERRORS = 0
    P95 = 1
    CLIENT_ERRORS = 2


# The rollback tests that each segment guards; the first alternative of the first is the mildest.
WATCHED: Mapping[Watch, list[Rollback]] = {
    Watch.ERRORS: [Rollback.ERRORS, Rollback.ERRORS_STRICT],
    Watch.P95: [Rollback.P95, Rollback.P95_STRICT, Rollback.P75, Rollback.P90, Rollback.P99],
    Watch.CLIENT_ERRORS: [Rollback.CLIENT_ERRORS],
}
MILDEST = np.array([WATCHED[watch][0] for watch in Watch])
WATCH_OF = np.array([next(watch for watch in Watch if row in WATCHED[watch]) for row in Rollback])
"""By `Rollback` row."""
METRICS: Mapping[Watch, Metric] = {
    Watch.ERRORS: Metric.ERROR_RATE,
    Watch.P95: Metric.P95,
    Watch.CLIENT_ERRORS: Metric.CLIENT_ERROR_RATE,
}
