"""Sequential tests of proportions: each returns the log of a likelihood ratio whose expectation is at most 1 under
the null.

Multiplied over independent slices such ratios are e-processes: they may be looked at after every slice, and exceed 1/a
with probability at most a (Ville 1939). Rows are slices or strata, columns the alternatives of a test's grid.

Sources: the share test conditions on both margins (Fisher's exact test as a likelihood ratio; Lindon and Malek,
arXiv:2011.03567); the difference test divides by the largest probability under the null (universal inference; compare
Turner, Ly and Grünwald, arXiv:2106.02693); the limit test is Wald's likelihood ratio against the boundary of the
null.
"""

from typing import NamedTuple

import numpy as np

from serinus.analysis.arrays import Floats

LARGEST_RATE = 1 - 1e-6
SMALLEST_RATE = 1e-9
EXACT_UP_TO = 512  # canary requests in a row; beyond it the O(1) bound replaces the exact sum


class Pair(NamedTuple):
    """Requests and events of both versions, one entry for each row; for a difference, shaped rows x 1."""

    canary_n: Floats
    canary_x: Floats
    legacy_n: Floats
    legacy_x: Floats


class Tilts(NamedTuple):
    """Exponents of a difference test, shaped rows x alternatives: how an event of either version weighs."""

    canary: Floats
    legacy: Floats


def logit(p: Floats) -> Floats:
    return np.log(p) - np.log1p(-p)


def share(pair: Pair, odds: Floats) -> Floats:
    """Has the canary more than its share of the events? Null: its odds of an event are at most LEGACY's (at least,
    for odds < 1).

    `odds` are the odds ratios of the alternatives, of all rows or rows x alternatives. Given how many requests each
    version had and how many events there were, the canary's events are hypergeometric under equality, whatever the
    level: log psi^x - log E[psi^X].
    """
    log_odds = np.broadcast_to(np.log(odds), (len(pair.canary_n), odds.shape[-1]))
    few = pair.canary_n <= EXACT_UP_TO
    if few.all():  # without an event or one of the versions there is but one outcome, and it says nothing
        return np.asarray(pair.canary_x[:, None] * log_odds - _log_mean_exact(pair, log_odds))
    informative = (pair.canary_n > 0) & (pair.legacy_n > 0) & (pair.canary_x + pair.legacy_x > 0)
    out = np.zeros(log_odds.shape)
    for rows, normaliser in ((informative & few, _log_mean_exact), (informative & ~few, _log_mean_bound)):
        if rows.any():
            table = Pair(*(column[rows] for column in pair))
            out[rows] = table.canary_x[:, None] * log_odds[rows] - normaliser(table, log_odds[rows])
    return out


def _log_mean_exact(table: Pair, log_odds: Floats) -> Floats:
    """The log of E[psi^X] for X ~ Hypergeometric, by the ratios of neighbouring probabilities."""
    canary_n, legacy_n = table.canary_n[:, None], table.legacy_n[:, None]
    events = (table.canary_x + table.legacy_x)[:, None]
    least, most = np.maximum(0.0, events - legacy_n), np.minimum(canary_n, events)
    u = least + np.arange(float((most - least).max()) + 1)
    possible = u <= most
    before = u[:, :-1]
    ways = (canary_n - before) * (events - before) / ((before + 1) * (legacy_n - events + before + 1))
    log_p = np.zeros(u.shape)
    np.log(ways, out=log_p[:, 1:], where=possible[:, 1:])
    log_p.cumsum(axis=1, out=log_p)
    log_p[~possible] = -np.inf
    log_p -= log_p.max(axis=1, keepdims=True)
    joint = log_odds[:, :, None] * u[:, None, :]
    joint += log_p[:, None, :]
    peak = joint.max(axis=2)
    joint -= peak[:, :, None]
    tilted = np.exp(joint, out=joint).sum(axis=2)
    return np.asarray(peak + np.log(tilted) - np.log(np.exp(log_p).sum(axis=1))[:, None])


def _log_mean_bound(table: Pair, log_odds: Floats) -> Floats:
    """An upper bound of it: sampling without replacement is less variable than with (Hoeffding 1963, theorem 4)."""
    canary_n, events = table.canary_n[:, None], (table.canary_x + table.legacy_x)[:, None]
    total = canary_n + table.legacy_n[:, None]
    excess = np.expm1(log_odds)
    by_events = events * np.log1p(canary_n / total * excess)
    by_requests = canary_n * np.log1p(events / total * excess)
    return np.asarray(np.minimum(by_events, by_requests))


def difference(pair: Pair, margin: Floats, tilts: Tilts) -> Floats:
    """Is the canary's rate on the other side of LEGACY's plus the row's `margin` (a difference of fractions, 0..1)?

    Everything is shaped rows x 1, or rows x alternatives, and may have more leading axes.

    The signs of the tilts choose the null: canary >= 0 >= legacy tests "at most the margin worse", canary <= 0 <=
    legacy tests "the margin worse or more". Any tilts of these signs are valid; `tilts_towards` gives ones with power.
    """
    n_c, x_c, n_l, x_l = pair
    a, b = np.expm1(tilts.canary), np.expm1(tilts.legacy)
    both = a * b
    # The logarithm of the mean is concave in LEGACY's rate p, with this peak; without a tilt it is monotone.
    with np.errstate(divide="ignore", invalid="ignore"):
        peak = -(n_c * a + n_l * b * (1 + margin * a)) / (both * (n_c + n_l))
    p = np.where(both != 0, peak, a + b > 0)
    p = np.minimum(np.maximum(p, 0.0), 1 - margin)
    log_mean = n_c * np.log1p((p + margin) * a) + n_l * np.log1p(p * b)
    return np.asarray(tilts.canary * x_c + tilts.legacy * x_l - log_mean)


def tilts_towards(pair: Pair, margin: Floats, canary_p: Floats, legacy_p: Floats) -> Tilts:
    """Tilts that grow about as fast as can be when the true rates are `canary_p` (rows x alternatives) and `legacy_p`.

    They are the log odds ratios between the alternative and its projection onto the null (Lindon et al.,
    arXiv:2205.14762): the rates at which the mean is then largest. Rates near 0 and equal arms leave no room for a
    first-order approximation of it; taking 1 - p at the guesses leaves a quadratic in LEGACY's rate, within 3 % of the
    best growth from 0.005 % to 30 % errors and at any share.
    """
    guess = np.minimum(canary_p, LARGEST_RATE)
    null_c = np.minimum(legacy_p + margin, LARGEST_RATE)
    weight_c, weight_l = pair.canary_n / (1 - null_c), pair.legacy_n / (1 - legacy_p)
    half = (weight_c * (margin - guess) + weight_l * (margin - legacy_p)) / 2
    weight = np.maximum(weight_c + weight_l, 1.0)
    nearest = (np.sqrt(half * half + weight * weight_l * legacy_p * margin) - half) / weight
    nearest = np.minimum(np.maximum(nearest, SMALLEST_RATE), LARGEST_RATE - margin)
    canary = logit(guess) - logit(nearest + margin)
    legacy = logit(legacy_p) - logit(nearest)
    worse = guess >= null_c
    return Tilts(
        np.where(worse, np.maximum(canary, 0.0), np.minimum(canary, 0.0)),
        np.where(worse, np.minimum(legacy, 0.0), np.maximum(legacy, 0.0)),
    )


def limit(requests: Floats, events: Floats, allowed: Floats, odds: Floats) -> Floats:
    """Is the rate of events above `allowed` (a fraction for each row)? `odds` multiply the odds at the limit."""
    most = allowed[:, None]
    rate = odds * most / (1 - most + odds * most)
    per_event, per_other = np.log(rate / most), np.log1p(-rate) - np.log1p(-most)
    return np.asarray(events[:, None] * per_event + (requests - events)[:, None] * per_other)
