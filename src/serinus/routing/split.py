"""What the operator or the rollout wants: the share, and who and what is excepted from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.errors import InvalidInput, Problem
from serinus.routing.endpoints import canonical

EVERY_ENDPOINT = "*"


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """One endpoint's part in the canary.

    `template` is a route template, `OTHER_ENDPOINT`, or `EVERY_ENDPOINT` for those that no other rule names.
    """

    template: str
    enabled: bool = True
    max_percentage: float = 100.0


@dataclass(frozen=True, slots=True)
class Split:
    """The desired routing, as one value that is replaced whole.

    `revision` grows with every change and orders splits; `percentage` is 0..100, decimals allowed. An endpoint without
    a rule takes part. `pins` send single subjects to a version whatever their bucket. Raises `InvalidInput` with every
    problem at once, so that a split that exists can be routed by.
    """

    revision: int = 0
    enabled: bool = False
    percentage: float = 0.0
    salt: str = "serinus"
    endpoints: tuple[EndpointRule, ...] = ()
    pins: Mapping[str, DeploymentVersion] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if problems := tuple(_problems(self)):
            raise InvalidInput(*problems)


def _problems(split: Split) -> Iterator[Problem]:
    yield from _share_problems("percentage", split.percentage)
    seen: set[str] = set()
    for index, rule in enumerate(split.endpoints):
        yield from _share_problems(f"endpoints.{index}.max_percentage", rule.max_percentage)
        where, template = f"endpoints.{index}.template", canonical(rule.template)
        if template not in (EVERY_ENDPOINT, OTHER_ENDPOINT) and not template.startswith("/"):
            yield Problem(
                where, f'must begin with "/" or be "{EVERY_ENDPOINT}" or "{OTHER_ENDPOINT}", not {template!r}'
            )
        if template in seen:
            yield Problem(where, f"{template!r} has a rule already; keep one of them")
        seen.add(template)
    if "" in split.pins:
        yield Problem("pins", "the empty subject is no subject and cannot be pinned; name somebody or drop the pin")


def _share_problems(where: str, percentage: float) -> Iterator[Problem]:
    if not 0 <= percentage <= 100:  # also true of a NaN
        yield Problem(where, f"must be a number from 0 to 100, not {percentage!r}")


LEGACY_ONLY = Split()
