"""One chance of a false rollback, divided among the tests by weights, and the rule that merges their evidence.

The weighted sum of e-values is an e-value whatever their dependence, so `sum w_i E_i >= 1/alpha` is one test at `alpha`
over all of them and over all time (Vovk and Wang 2021; Wang, arXiv:2409.19888).
"""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from serinus.analysis.arrays import Floats
from serinus.analysis.comparison import Rollback
from serinus.analysis.criteria import Criteria, Limit
from serinus.analysis.verdict import Metric

_COMPARISON_SHARES: Mapping[Rollback, float] = {
    Rollback.ERRORS: 0.28,
    Rollback.ERRORS_STRICT: 0.07,
    Rollback.P95: 0.14,
    Rollback.P75: 0.14 / 3,
    Rollback.P90: 0.14 / 3,
    Rollback.P99: 0.14 / 3,
    Rollback.P95_STRICT: 0.07,
    Rollback.CLIENT_ERRORS: 0.04,
}
_STRICT_SHARES: Mapping[Rollback, float] = {
    Rollback.ERRORS_STRICT: 0.35,
    Rollback.P95_STRICT: 0.35,
    Rollback.CLIENT_ERRORS: 0.04,
}
_LIMIT_SHARES: Mapping[Metric, float] = {
    Metric.ERROR_RATE: 0.12,
    Metric.P95: 0.09,
    Metric.AVAILABILITY: 0.09,
}
_ALL = 1.04  # what the shares add up to
HOLD_WEIGHTS = np.array([_COMPARISON_SHARES[row] / _ALL for row in Rollback])
"""One weight per `Rollback` row for "worse, however little", which holds a rollout and never rolls it back."""


_STRICT_WEIGHTS = np.array([_STRICT_SHARES.get(row, 0.0) / _ALL for row in Rollback])


def _logs(weights: Floats) -> tuple[float, ...]:
    return tuple(math.log(weight) if weight > 0 else -math.inf for weight in weights.tolist())


LOG_HOLD_WEIGHTS, _LOG_STRICT_WEIGHTS = _logs(HOLD_WEIGHTS), _logs(_STRICT_WEIGHTS)


def log_comparison_weights(criteria: Criteria) -> tuple[float, ...]:
    """Their logarithms; minus infinity for none."""
    return _LOG_STRICT_WEIGHTS if criteria.strict else LOG_HOLD_WEIGHTS


def comparison_weights(criteria: Criteria) -> Floats:
    """One weight per `Rollback` row."""
    return _STRICT_WEIGHTS if criteria.strict else HOLD_WEIGHTS


def limit_weights(limits: Sequence[Limit]) -> tuple[float, ...]:
    """One weight per limit; limits of one metric share its weight, and those that never roll back have none."""
    acting = [limit.metric for limit in limits if limit.rolls_back]
    return tuple(
        _LIMIT_SHARES.get(limit.metric, 0.0) / _ALL / acting.count(limit.metric) if limit.rolls_back else 0.0
        for limit in limits
    )


def rejected(terms: Mapping[str, float], alpha: float) -> frozenset[str]:
    """The names whose term (log of a weighted e-value) reaches 1/alpha alone, and the largest if all together do."""
    bar = -math.log(alpha)
    alone = {name for name, term in terms.items() if term >= bar}
    if terms and log_sum(terms.values()) >= bar:
        alone.add(max(terms, key=lambda name: terms[name]))
    return frozenset(alone)


def log_sum(terms: Iterable[float]) -> float:
    """The log of the sum of the exponentials; minus infinity without any."""
    all_terms = tuple(terms)
    top = max(all_terms, default=-math.inf)
    if math.isinf(top):
        return top
    return top + math.log(math.fsum(math.exp(term - top) for term in all_terms))
