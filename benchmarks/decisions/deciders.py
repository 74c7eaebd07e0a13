"""The deciders that others use, reduced to their rules, under the customer's margins (0.5 percentage points, 10 %).

Each is fed the slices of one rollout in order, and answers after each. What their tools do around the rule (intervals,
weights, webhooks) is left out; a window here is 100 canary requests, as a minute would be at that rate.
"""

from collections.abc import Callable
from enum import StrEnum
from math import ceil, erfc, log, sqrt
from typing import Protocol

import numpy as np
from benchmarks.decisions.streams import Floats, Ints, Slice

from serinus.metrics.sketch import BINS, BINS_PER_TENTH

ERROR_MARGIN = 0.005
P95_MARGIN_BINS = BINS_PER_TENTH
MIN_CANARY_REQUESTS = 1_000
WINDOW = 100
LEGACY, CANARY = 0, 1
Z_95 = 1.6449


class Answer(StrEnum):
    """DUE: a limit's deadline has come with a breach that is only observed; `serinus` alone knows deadlines."""

    ROLL_BACK = "roll_back"
    PROMOTE = "promote"
    DUE = "due"


class Decider(Protocol):
    def feed(self, slice_: Slice) -> Answer | None:
        """The answer after one more slice; None is to wait. Answers may be repeated and may change."""


class Sums:
    """Requests, errors and latencies of both versions, summed over slices."""

    def __init__(self) -> None:
        self.requests = np.zeros(2)
        self.errors = np.zeros(2)
        self.latency: Ints = np.zeros((2, BINS), dtype=np.int64)

    def add(self, slice_: Slice) -> None:
        for version, counts in ((LEGACY, slice_.legacy), (CANARY, slice_.canary)):
            self.requests[version] += counts.requests
            self.errors[version] += counts.errors
            self.latency[version] += counts.latency

    @property
    def rates(self) -> Floats:
        return np.asarray(self.errors / self.requests)

    def p95_bin(self, version: int) -> int:
        return int(np.searchsorted(np.cumsum(self.latency[version]), ceil(0.95 * self.latency[version].sum())))

    def slower_than(self, bin_: int) -> Floats:
        """The share of each version's requests above the bin."""
        return np.asarray(self.latency[:, bin_ + 1 :].sum(axis=1) / self.requests)

    def error_excess(self) -> float:
        legacy, canary = self.rates
        return float(canary - legacy)

    def is_slower(self) -> bool:
        return self.p95_bin(CANARY) - self.p95_bin(LEGACY) >= P95_MARGIN_BINS

    def keeps_slo(self) -> bool:
        """The customer's criteria, literally: both estimates within the margins, more than 1,000 canary requests."""
        enough = self.requests[CANARY] > MIN_CANARY_REQUESTS
        return bool(enough and self.error_excess() < ERROR_MARGIN and not self.is_slower())


class Thresholds:
    """Compares the estimates of each window with the margins; so many bad windows are allowed.

    `in_a_row`: a good window makes the bad ones before it forgotten. `least_errors` in a window make its error rate
    count at all. Promotes by the literal criteria on everything seen.
    """

    def __init__(self, *, window: int, bad_windows: int, in_a_row: bool = False, least_errors: int = 0) -> None:
        self._size, self._allowed, self._in_a_row, self._least_errors = window, bad_windows, in_a_row, least_errors
        self._window, self._all, self._bad = Sums(), Sums(), 0

    def feed(self, slice_: Slice) -> Answer | None:
        self._window.add(slice_)
        self._all.add(slice_)
        if self._window.requests[CANARY] < self._size:
            return None
        window, self._window = self._window, Sums()
        self._bad = self._bad + 1 if self._is_bad(window) else 0 if self._in_a_row else self._bad
        if self._bad >= self._allowed:
            return Answer.ROLL_BACK
        return Answer.PROMOTE if self._all.keeps_slo() else None

    def _is_bad(self, window: Sums) -> bool:
        counts = window.errors[CANARY] >= self._least_errors
        return bool(counts and window.error_excess() >= ERROR_MARGIN) or window.is_slower()


class FixedHorizonTests:
    """A z-test of the error rates and a Mann-Whitney test of the latencies, each at 2.5 %, repeated at every look.

    Promotes when fixed-horizon non-inferiority tests at 5 % are passed for both margins.
    """

    def __init__(self) -> None:
        self._all = Sums()

    def feed(self, slice_: Slice) -> Answer | None:
        self._all.add(slice_)
        requests = self._all.requests
        if requests[CANARY] < WINDOW:
            return None
        if min(_z_test(self._all), _mann_whitney(self._all.latency)) < 0.025:
            return Answer.ROLL_BACK
        return Answer.PROMOTE if requests[CANARY] > MIN_CANARY_REQUESTS and self._is_not_inferior() else None

    def _is_not_inferior(self) -> bool:
        rates, requests = self._all.rates, self._all.requests
        spread = sqrt(float((rates * (1 - rates) / requests).sum()))
        slow = self._all.slower_than(self._all.p95_bin(LEGACY) + P95_MARGIN_BINS)[CANARY]
        slow_spread = sqrt(0.05 * 0.95 * float((1 / requests).sum()))
        return self._all.error_excess() + Z_95 * spread < ERROR_MARGIN and slow + Z_95 * slow_spread < 0.05


def _z_test(sums: Sums) -> float:
    """One-sided p of equal error rates, pooled variance."""
    pooled = float(sums.errors.sum() / sums.requests.sum())
    variance = pooled * (1 - pooled) * float((1 / sums.requests).sum())
    return _upper_tail(sums.error_excess() / sqrt(variance)) if variance > 0 else 1.0


def _mann_whitney(latency: Ints) -> float:
    """One-sided p of "the canary is not slower" on histograms, corrected for ties."""
    legacy, canary = latency.astype(np.float64)
    n, m = float(legacy.sum()), float(canary.sum())
    below = np.cumsum(legacy) - legacy
    u = float((canary * (below + legacy / 2)).sum())
    ties = legacy + canary
    total = n + m
    variance = n * m / 12 * (total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1)))
    return _upper_tail((u - n * m / 2) / sqrt(variance)) if variance > 0 else 1.0


def _upper_tail(z: float) -> float:
    return erfc(z / sqrt(2)) / 2


class Kayenta:
    """Mann-Whitney on metric points, one for each window, judged every ten windows on all points so far.

    A metric is High when the lower end of the interval of the Hodges-Lehmann difference is above a quarter of
    its estimate and the means differ by the effect size; the score is the percentage of metrics that are not (two here,
    of equal weight). Below `MARGINAL` the canary fails, from `PASS` on it is promoted.
    After `MannWhitneyClassifier` of github.com/spinnaker/kayenta with the ratio of the means as effect size.
    """

    TOLERANCE, Z, ALLOWED_INCREASE = 0.25, 2.3263, 1.1  # confidence 98 %
    MARGINAL, PASS = 75, 95
    POINTS = 10

    def __init__(self) -> None:
        self._window = Sums()
        self._points: list[tuple[Floats, Floats]] = []

    def feed(self, slice_: Slice) -> Answer | None:
        self._window.add(slice_)
        if self._window.requests[CANARY] < WINDOW:
            return None
        window, self._window = self._window, Sums()
        p95 = np.array([window.p95_bin(LEGACY), window.p95_bin(CANARY)])
        self._points.append((window.rates, np.asarray(1.1 ** (p95 / BINS_PER_TENTH))))
        if len(self._points) % self.POINTS:
            return None
        errors, latency = (np.array([point[metric] for point in self._points]) for metric in (0, 1))
        score = 50 * ((not self._is_high(errors)) + (not self._is_high(latency)))
        if score < self.MARGINAL:
            return Answer.ROLL_BACK
        return Answer.PROMOTE if score >= self.PASS and len(self._points) * WINDOW > MIN_CANARY_REQUESTS else None

    def _is_high(self, points: Floats) -> bool:
        legacy, canary = points.T
        if canary.mean() < self.ALLOWED_INCREASE * legacy.mean():
            return False
        differences = np.sort(np.subtract.outer(canary, legacy), axis=None)
        n = len(legacy)
        rank = int(n * n / 2 - self.Z * sqrt(n * n * (2 * n + 1) / 12))
        return bool(differences[max(0, rank)] > self.TOLERANCE * abs(float(np.median(differences))))


class MixtureSprt:
    """The mixture sequential probability ratio test (Johari et al., arXiv:1512.04922) with a normal mixture, on two
    differences of proportions: errors, and requests slower than LEGACY's P95; each at 2.5 %.

    Promotes when the confidence sequences of the same tests, at 5 %, lie within the margins.
    """

    ERROR_SCALE, SLOW_SCALE = 0.01, 0.05  # standard deviations of the mixture: effects worth finding

    def __init__(self) -> None:
        self._all = Sums()

    def feed(self, slice_: Slice) -> Answer | None:
        self._all.add(slice_)
        sums = self._all
        p95 = sums.p95_bin(LEGACY)
        legacy, canary = sums.slower_than(p95)
        errors, slow = sums.error_excess(), float(canary - legacy)
        if errors > self._radius(sums.errors, self.ERROR_SCALE, 0.025):
            return Answer.ROLL_BACK
        if slow > self._radius(sums.slower_than(p95) * sums.requests, self.SLOW_SCALE, 0.025):
            return Answer.ROLL_BACK
        if sums.requests[CANARY] <= MIN_CANARY_REQUESTS:
            return None
        slower = float(sums.slower_than(p95 + P95_MARGIN_BINS)[CANARY] - legacy)
        fits = errors + self._radius(sums.errors, self.ERROR_SCALE, 0.05) < ERROR_MARGIN
        return Answer.PROMOTE if fits and slower + self._slow_radius(sums, p95) < 0 else None

    def _slow_radius(self, sums: Sums, p95: int) -> float:
        return self._radius(sums.slower_than(p95) * sums.requests, self.SLOW_SCALE, 0.05)

    def _radius(self, events: Floats, scale: float, alpha: float) -> float:
        """Half the width of the confidence sequence of the difference."""
        requests = self._all.requests
        pooled = (float(events.sum()) + 0.5) / (float(requests.sum()) + 1)
        variance = pooled * (1 - pooled) * float((1 / requests).sum())
        mixed = variance + scale**2
        return sqrt(2 * variance * mixed / scale**2 * (log(1 / alpha) + 0.5 * log(mixed / variance)))


PEERS: dict[str, Callable[[], Decider]] = {
    "threshold": lambda: Thresholds(window=WINDOW, bad_windows=1),
    "guarded threshold": lambda: Thresholds(window=5 * WINDOW, bad_windows=1, least_errors=5),
    "three in a row": lambda: Thresholds(window=WINDOW, bad_windows=3, in_a_row=True),
    "failed-check budget": lambda: Thresholds(window=WINDOW, bad_windows=5),
    "repeated z + MW": FixedHorizonTests,
    "Kayenta": Kayenta,
    "mSPRT": MixtureSprt,
}
