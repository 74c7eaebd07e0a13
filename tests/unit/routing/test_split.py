"""A split that exists can be routed by; one that cannot is refused with everything that is wrong."""

import math
from typing import Any

import pytest

from serinus import DeploymentVersion, EndpointRule, Split
from serinus.errors import InvalidInput


@pytest.mark.parametrize("percentage", [-0.001, 100.001, math.nan, math.inf, -math.inf])
def test_a_share_outside_0_to_100_is_refused(percentage: float) -> None:
    with pytest.raises(InvalidInput, match="percentage: must be a number from 0 to 100"):
        Split(percentage=percentage)


@pytest.mark.parametrize("percentage", [0, 100, 0.001, 5])
def test_every_share_from_0_to_100_is_taken(percentage: float) -> None:
    assert Split(percentage=percentage).percentage == percentage


def test_all_problems_are_reported_at_once() -> None:
    rules = (EndpointRule("/a", max_percentage=101), EndpointRule("b"), EndpointRule("/a/"))
    with pytest.raises(InvalidInput) as refusal:
        Split(percentage=101, endpoints=rules, pins={"": DeploymentVersion.CANARY})
    assert [problem.where for problem in refusal.value.problems] == [
        "percentage",
        "endpoints.0.max_percentage",
        "endpoints.1.template",
        "endpoints.2.template",
        "pins",
    ]


@pytest.mark.parametrize("field", ["percentage", "enabled", "salt"])
def test_a_split_is_never_changed_in_place(field: str) -> None:
    value: Any = Split()
    with pytest.raises(AttributeError):
        setattr(value, field, 1)
