"""What a rollback needs besides evidence: a difference that matters, on more than a subject or two."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from serinus.analysis import quantiles
from serinus.analysis.quantiles import P95
from serinus.analysis.tables import CANARY, DENOMINATORS, ERRORS_OF_SLOT, LEGACY, REQUESTS_OF_SLOT, Count, Tally

Floats: TypeAlias = NDArray[np.float64]

MIN_EVENTS = 3
MIN_SUBJECTS = 2
LONE_SUBJECT_EVENTS = 10  # as the breaker: ten in a row convince also when nobody else is there
WORST_SLOTS = 3
SLOTS_PER_TRIM = 4  # with few subjects fewer slots are set aside, so that a dead canary is found at its third request


def enough_subjects(slots: Floats) -> bool:
    """Are the errors of more than one subject? `slots`: (requests, errors) x `SLOTS`; without any, it is believed."""
    requests, errors = slots
    if requests.sum() == 0 or (errors > 0).sum() >= MIN_SUBJECTS:
        return True
    return bool((requests > 0).sum() == 1 and errors.sum() >= LONE_SUBJECT_EVENTS)


def error_difference(tally: Tally) -> float | None:
    """Canary - LEGACY error rate; None without matched traffic."""
    rates = tally.rates(Count.ERRORS)
    return None if rates is None else rates[CANARY] - rates[LEGACY]


def trimmed_error_difference(tally: Tally) -> float | None:
    """The difference without the canary's worst slots: one client that fails a thousand times is one client."""
    rates = tally.rates(Count.ERRORS)
    requests, errors = tally.slots[REQUESTS_OF_SLOT], tally.slots[ERRORS_OF_SLOT]
    active = int((requests > 0).sum())
    if rates is None or active == 0:
        return error_difference(tally)
    trimmed = min(WORST_SLOTS, active // SLOTS_PER_TRIM)
    kept = np.argsort(errors - requests * rates[LEGACY], kind="stable")[: len(requests) - trimmed]
    left = float(requests[kept].sum())
    return float(errors[kept].sum()) / left - rates[LEGACY] if left > 0 else None


def errors_matter(tally: Tally, margin: float) -> bool:
    difference = trimmed_error_difference(tally)
    return (
        _some(tally, Count.ERRORS) and enough_subjects(tally.slots) and difference is not None and difference >= margin
    )


def client_errors_matter(tally: Tally, margin: float) -> bool:
    rates = tally.rates(Count.CLIENT_ERRORS)
    return _some(tally, Count.CLIENT_ERRORS) and rates is not None and rates[CANARY] - rates[LEGACY] >= margin


def latency_matters(tally: Tally, margin: float) -> bool:
    increase = quantiles.p95_increase(tally.latency)
    if increase is None or increase < margin:
        return False
    usual = int(quantiles.thresholds(tally.latency[LEGACY], (P95,))[0])
    slow = quantiles.slower(tally.latency[CANARY], usual)
    requests = tally.slots[REQUESTS_OF_SLOT]
    return bool(slow >= MIN_EVENTS and (requests.sum() == 0 or (requests > 0).sum() >= MIN_SUBJECTS))


def _some(tally: Tally, events: Count) -> bool:
    return bool(tally.counts[CANARY, events] >= MIN_EVENTS and tally.counts[CANARY, DENOMINATORS[events]] > 0)
