"""What a rollback needs besides evidence: a difference that matters, on more than a subject or two."""

import numpy as np

from serinus.analysis import quantiles
from serinus.analysis.arrays import Floats
from serinus.analysis.quantiles import P95
from serinus.analysis.tables import CANARY, DENOMINATORS, LEGACY, REQUESTS_OF_SLOT, Count, Tally, slots_of

MIN_EVENTS = 3
MIN_SUBJECTS = 2
LONE_SUBJECT_EVENTS = 10  # as the breaker: ten in a row convince also when nobody else is there
WORST_SLOTS = 3
OUTLIER_NATS = 6.0  # one slot in 400 by chance, at most
ROUNDING = 1e-9
SLOTS_PER_TRIM = 4  # with few subjects fewer slots are set aside, so that a dead canary is found at its third request


def reaches(difference: float, margin: float) -> bool:
    """At the margin or beyond it; what rounding alone keeps below it (0.99 / 0.9 - 1 of 10 %) is at it."""
    return difference >= margin - ROUNDING


def enough_subjects(slots: Floats) -> bool:
    """Are the errors of more than one subject? `slots`: (requests, errors) x `SLOTS`; without any, it is believed."""
    requests, errors = slots
    if requests.sum() == 0 or (errors > 0).sum() >= MIN_SUBJECTS:
        return True
    return bool((requests > 0).sum() == 1 and errors.sum() >= LONE_SUBJECT_EVENTS)


def difference(tally: Tally, events: Count) -> float | None:
    """Canary - LEGACY rate; None without matched traffic."""
    rates = tally.rates(events)
    return None if rates is None else rates[CANARY] - rates[LEGACY]


def trimmed_difference(tally: Tally, events: Count, margin: float) -> float | None:
    """The difference without the canary's outliers: one client that fails a thousand times is one client."""
    rates, slots = tally.rates(events), slots_of(tally.slots, events)
    if rates is None or slots[REQUESTS_OF_SLOT].sum() == 0:
        return difference(tally, events)
    requests, counted = without_outliers(slots, rates[LEGACY] + margin)
    return counted / requests - rates[LEGACY] if requests > 0 else None


def without_outliers(slots: Floats, tolerated: float) -> tuple[float, float]:
    """Requests and errors without the worst slots, as far as chance does not explain them.

    Chance is a Poisson number of errors at the rate of the other slots, or at the `tolerated` one where that is more;
    Chernoff's bound stands for its tail. Taking away the worst in any case would hide small regressions.
    """
    requests, errors = slots
    trimmed = min(WORST_SLOTS, int((requests > 0).sum()) // SLOTS_PER_TRIM)
    order = np.argsort(errors - requests * tolerated, kind="stable")
    worst, rest = order[len(order) - trimmed :], order[: len(order) - trimmed]
    rate = max(tolerated, float(errors[rest].sum() / max(1.0, requests[rest].sum())))
    expected = np.maximum(requests[worst] * rate, 1e-9)
    unlikely = errors[worst] * np.log(np.maximum(errors[worst], 1e-9) / expected) - errors[worst] + expected
    dropped = worst[(errors[worst] > expected) & (unlikely >= OUTLIER_NATS)]
    return float(requests.sum() - requests[dropped].sum()), float(errors.sum() - errors[dropped].sum())


def errors_matter(tally: Tally, margin: float) -> bool:
    return _events_matter(tally, Count.ERRORS, margin)


def client_errors_matter(tally: Tally, margin: float) -> bool:
    """A lone subject never convinces here: a client may be throttled through no fault of its version."""
    requests, client_errors = slots_of(tally.slots, Count.CLIENT_ERRORS)
    several = requests.sum() == 0 or (client_errors > 0).sum() >= MIN_SUBJECTS
    return bool(several) and _events_matter(tally, Count.CLIENT_ERRORS, margin)


def _events_matter(tally: Tally, events: Count, margin: float) -> bool:
    trimmed = trimmed_difference(tally, events, margin)
    some = tally.counts[CANARY, events] >= MIN_EVENTS and tally.counts[CANARY, DENOMINATORS[events]] > 0
    reached = trimmed is not None and reaches(trimmed, margin)
    return bool(some) and reached and enough_subjects(slots_of(tally.slots, events))


def latency_matters(tally: Tally, margin: float) -> bool:
    increase = quantiles.p95_increase(tally.latency, tally.seconds)
    if increase is None or not reaches(increase, margin):
        return False
    usual = int(quantiles.thresholds(tally.latency[LEGACY], (P95,))[0])
    slow = quantiles.slower(tally.latency[CANARY], usual)
    requests = tally.slots[REQUESTS_OF_SLOT]
    return bool(slow >= MIN_EVENTS and (requests.sum() == 0 or (requests > 0).sum() >= MIN_SUBJECTS))
