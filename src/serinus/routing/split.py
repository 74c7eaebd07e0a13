"""What the operator or the rollout wants: the share, and who and what is excepted from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from serinus.deployment import DeploymentVersion

EVERY_ENDPOINT = "*"


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """One endpoint's part in the canary: a route template, or `EVERY_ENDPOINT` for those that no other rule names."""

    template: str
    enabled: bool = True
    max_percentage: float = 100.0


@dataclass(frozen=True, slots=True)
class Split:
    """The desired routing, as one value that is replaced whole.

    `revision` grows with every change and orders splits; `percentage` is 0..100, decimals allowed. An endpoint without a
    rule takes part. `pins` send single subjects to a version whatever their bucket.
    """

    revision: int = 0
    enabled: bool = False
    percentage: float = 0.0
    salt: str = "serinus"
    endpoints: tuple[EndpointRule, ...] = ()
    pins: Mapping[str, DeploymentVersion] = field(default_factory=lambda: MappingProxyType({}))


LEGACY_ONLY = Split()
