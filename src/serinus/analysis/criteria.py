"""What to judge by: the operator's margins and limits, as the plan states them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from serinus.analysis.verdict import Metric


@dataclass(frozen=True, slots=True)
class Limit:
    """An absolute limit on the canary: error rate above, P95 above (ms), or availability below `value`.

    Limits that never roll back (an alert's level) are observed, and take no part in the division of `Criteria.alpha`.
    """

    name: str
    metric: Metric
    value: float
    rolls_back: bool = True


@dataclass(frozen=True, slots=True)
class Desired:
    """The part of the requests that the split gives to the canary (0..1): `share`, except on `endpoints`."""

    share: float = 0.0
    endpoints: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, endpoint: str) -> float:
        return self.endpoints.get(endpoint, self.share)


@dataclass(frozen=True, slots=True)
class Criteria:
    """`error_rate_margin` and `client_error_margin` are differences of fractions (0.005 is half a percentage point),
    `p95_margin` is a relative increase (0.1 is 10 %).

    `min_canary_requests` must be exceeded, not reached. `alpha` bounds the chance that a healthy canary is ever rolled
    back; `strict` rolls back only a canary proven beyond the margins, not one proven merely worse.
    """

    error_rate_margin: float
    p95_margin: float
    min_canary_requests: int
    client_error_margin: float = 0.05
    limits: tuple[Limit, ...] = ()
    alpha: float = 0.05
    promotion_alpha: float = 0.05
    strict: bool = False
