"""How far apart the means of a business measure are, for one window of time and the eye alone."""

from math import sqrt

from serinus.analysis.intervals import Interval
from serinus.metrics.moments import Moments

Z = 1.959964  # the normal distribution's 97.5 % point


def mean_difference(canary: Moments, legacy: Moments) -> Interval | None:
    """Of CANARY's mean minus LEGACY's, every value taken to stand for itself; None with fewer than two of either.

    Welch's interval (Biometrika 34:28-35, 1947), with Student's quantile by Cornish and Fisher's expansion.
    """
    spreads = canary.variance, legacy.variance
    if spreads[0] is None or spreads[1] is None:
        return None
    parts = spreads[0] / canary.count, spreads[1] / legacy.count
    difference, error = canary.mean - legacy.mean, sqrt(sum(parts))
    if not error:
        return Interval(difference, difference)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (canary.count - 1) + parts[1] ** 2 / (legacy.count - 1))
    half = _student(freedom) * error
    return Interval(difference - half, difference + half)


def _student(freedom: float) -> float:
    """Student's 97.5 % quantile, within 1 % from three degrees of freedom on (Abramowitz and Stegun 26.7.5)."""
    z, n = Z, max(freedom, 1.0)
    terms = (
        (z**3 + z) / 4 / n,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96 / n**2,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / n**3,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160 / n**4,
    )
    return z + sum(terms)
