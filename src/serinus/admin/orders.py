"""What callers send, beside what they are."""

from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from serinus.access import Caller, Role
from serinus.admin.context import Context
from serinus.admin.shapes import AttachmentShape, RuleShape, Shape
from serinus.admin.text import Lines, OneLine
from serinus.errors import InvalidInput, Problem
from serinus.rollout.commands import Order

Why = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), Lines]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128), OneLine]
Share = Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]


Item = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Body(Shape):
    reason: Why = ""


class ConfigBody(Body):
    """What is left out stays as it is; `endpoints` replaces all rules. A first share switches the canary on."""

    enabled: Annotated[bool, Field(strict=True)] | None = None
    canary_percentage: Share | None = None
    endpoints: Annotated[list[RuleShape], Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "ConfigBody":
        if self.enabled is None and self.canary_percentage is None and self.endpoints is None:
            raise ValueError("give at least one of enabled, canary_percentage, endpoints")
        return self


class TrialBody(Shape):
    """Without `channel`, all that are configured."""

    channel: Name | None = None


class StartBody(Body):
    """`plan` is the name of a plan that ships with serinus, or a plan as JSON; `source` is a plan as TOML."""

    plan: Name | dict[str, Any] | None = None
    source: str | None = None
    force: bool = False
    endpoints: Annotated[list[RuleShape], Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _names_one_plan(self) -> "StartBody":
        if (self.plan is None) == (self.source is None):
            raise ValueError("give either plan or source")
        return self


class PauseBody(Body):
    """`cap_percentage` lowers the share for the time of the pause."""

    cap_percentage: Share | None = None


class ApproveBody(Body):
    """`step` (counted from 0) and `report_at` are those of the report that the approver has seen; the others are what
    the gate asks for: `checked` ticks items of its checklist, in the plan's words.
    """

    gate: Name
    step: int = Field(ge=0)
    report_at: AwareDatetime
    checked: Annotated[list[Item], Field(max_length=50)] = Field(default_factory=list)
    attachment: AttachmentShape | None = None
    business_impact: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000), Lines] = ""


class TokenBody(Shape):
    name: Name
    role: Role
    expires_in_days: Annotated[float, Field(ge=0.001, le=3_650, allow_inf_nan=False)] | None = None


def order_of(caller: Caller, here: Context, body: Body | None, seen: str | None = None) -> Order:
    """`seen` is the rollout's standing as the caller knows it."""
    reason = body.reason if body else ""
    return Order(by=caller.name, at=here.clock(), reason=reason, origin=caller.address, standing=seen)


async def _standing(if_match: Annotated[str | None, Header(max_length=256)] = None) -> str | None:
    """The rollout's standing that ``If-Match`` names; None without one or for ``*``."""
    bare = (if_match or "*").strip().removeprefix("W/").strip('"')
    return None if bare == "*" else bare


async def _revision(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """The revision that ``If-Match`` names, quoted as an entity tag or bare; None without one or for ``*``."""
    if if_match is None or if_match.strip() == "*":
        return None
    bare = if_match.strip().removeprefix("W/").strip('"')
    if not bare.isdecimal():
        raise InvalidInput(Problem("If-Match", 'must be a revision, such as "12", as GET /config gave it'))
    return int(bare[:19])


ExpectedRevision = Annotated[int | None, Depends(_revision)]
Seen = Annotated[str | None, Depends(_standing)]
