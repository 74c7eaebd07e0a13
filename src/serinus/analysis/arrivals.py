"""Sample-ratio mismatch: do as many of the users come to the canary as the split sends there?

If not, something between the users and the router, or the canary itself, loses or multiplies the requests of one
version, and what is compared are not alike users any more (Fabijan et al., KDD 2019). Arrivals are counted by the
bucket alone, before pins, the breaker and the fallback; a capped endpoint is expected to have its cap.

Users come with all their requests, so the requests of one are no independent draws. If u makes m_u of them, the
canary's number has the variance p (1 - p) sum of m_u²; and since subjects are hashed to slots independently of the
bucket, the spread of the slots' totals estimates that sum without knowing a single user.
"""

import math
from dataclasses import dataclass

import numpy as np

from serinus.analysis.arrays import Floats
from serinus.analysis.criteria import Desired
from serinus.analysis.evidence import Arrivals, StepEvidence
from serinus.analysis.intervals import Interval, anytime_z
from serinus.analysis.reasons import Reason
from serinus.analysis.slices import Slice
from serinus.analysis.tables import CANARY, CLIENT_ERRORS_OF_SLOT, OTHERS_OF_SLOT, REQUESTS_OF_SLOT, Strata
from serinus.analysis.verdict import Check, Metric, Verdict
from serinus.metrics.snapshot import SLOTS

ALPHA = 0.001
"""A mismatch is a bug, not a nuance: it is asked for more strictly than the rest, as is usual."""
FEWEST_USERS = 30
"""So many of either version, at equal numbers of requests, before the normal approximation is any good."""
_KINDS = np.array([REQUESTS_OF_SLOT, CLIENT_ERRORS_OF_SLOT, OTHERS_OF_SLOT])


@dataclass(frozen=True, slots=True)
class Ratio:
    """The canary's part of the requests that came, and what it should have been; `users` at equal numbers of requests.

    `low` and `high` bound the part that the arrivals can be explained by, at every look.
    """

    observed: float
    desired: float
    low: float
    high: float
    requests: float
    users: float

    @property
    def is_mismatch(self) -> bool:
        few = self.users * min(self.desired, 1 - self.desired) < FEWEST_USERS
        return not few and not self.low <= self.desired <= self.high


def no_arrivals() -> Arrivals:
    return Arrivals(np.zeros(SLOTS), np.zeros(SLOTS), np.zeros(SLOTS))


def fold_arrivals(arrivals: Arrivals, slice_: Slice, strata: Strata | None, desired: Desired) -> Arrivals:
    """With the arrivals of one more slice; `strata` are its endpoints', None without any."""
    canary, total, shares = np.zeros((0, SLOTS)), np.zeros((0, SLOTS)), np.zeros(0)
    if strata is not None:
        came = strata.slots[:, :, _KINDS].sum(axis=2)
        canary, total = came[:, CANARY], came.sum(axis=1)
        shares = np.array([desired.of(endpoint) for endpoint in slice_.endpoints])
    if slice_.diverted:
        diverted = np.array(list(slice_.diverted.values()), dtype=np.float64)
        canary, total = (np.concatenate((counted, diverted)) for counted in (canary, total))
        shares = np.concatenate((shares, [desired.of(endpoint) for endpoint in slice_.diverted]))
    return Arrivals(
        arrivals.canary + canary.sum(axis=0),
        arrivals.expected + shares @ total,
        arrivals.total + total.sum(axis=0),
        arrivals.variance + float((shares * (1 - shares)) @ total.sum(axis=1)),
    )


def read_ratio(arrivals: Arrivals) -> Ratio | None:
    """None without arrivals, or while nothing is to be split."""
    requests, variance = float(arrivals.total.sum()), arrivals.variance
    if requests <= 0 or variance <= 0:
        return None
    squares = _squared_requests(arrivals.total)
    users = requests**2 / squares
    spread = math.sqrt(variance / requests * squares) / requests
    observed, half = float(arrivals.canary.sum()) / requests, anytime_z(users, ALPHA) * spread
    desired = float(arrivals.expected.sum()) / requests
    return Ratio(observed, desired, observed - half, observed + half, requests, users)


def ratio_checks(step: StepEvidence) -> tuple[Check, ...]:
    """A finding if there is a mismatch, and nothing otherwise."""
    ratio = read_ratio(step.arrivals)
    if ratio is None or not ratio.is_mismatch:
        return ()
    numbers = {"observed": ratio.observed, "desired": ratio.desired, "requests": ratio.requests, "users": ratio.users}
    interval = Interval(ratio.low, ratio.high)
    return (
        Check(
            name=Metric.SAMPLE_RATIO,
            metric=Metric.SAMPLE_RATIO,
            verdict=Verdict.FAIL,
            reason=Reason.SAMPLE_RATIO_MISMATCH,
            value=ratio.observed,
            need=ratio.desired,
            numbers=numbers,
            since=step.started_at,
            interval=interval,
        ),
    )


def _squared_requests(total: Floats) -> float:
    """The sum over users of their numbers of requests, squared: at least one each, at most all by one."""
    requests = float(total.sum())
    spread = float(((total - total.mean()) ** 2).sum()) * SLOTS / (SLOTS - 1)
    return min(max(spread, requests), requests**2)
