"""The split: what it is, how it is changed, and whom it sends where."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Query, Response

from serinus.access import Role
from serinus.admin.access import Operator, Viewer
from serinus.admin.context import Context, Here
from serinus.admin.figures import Cells, canary_percentage
from serinus.admin.orders import ConfigBody, ExpectedRevision, order_of
from serinus.admin.shapes import ConfigShape, ExplanationShape, RuleShape
from serinus.admin.views import config_shape, explanation_shape
from serinus.control.commands import Configuration
from serinus.deployment import OTHER_ENDPOINT
from serinus.errors import Forbidden, InvalidInput, Problem
from serinus.routing.canary_router import CanaryRouter
from serinus.routing.endpoints import canonical
from serinus.routing.split import EVERY_ENDPOINT, EndpointRule, Split
from serinus.storage.splits import StoredSplit

OBSERVED_SECONDS = 60.0

router = APIRouter(tags=["configuration"])


@router.get("/config")
async def read_config(_caller: Viewer, here: Here, response: Response) -> ConfigShape:
    """The split in force."""
    return await _answer(here, await here.store.split(), response)


@router.post("/config")
async def change_config(
    caller: Operator, here: Here, body: ConfigBody, expected_revision: ExpectedRevision, response: Response
) -> ConfigShape:
    """Change the split; the role approver is needed for whatever gives the canary more.

    While a rollout runs, 0 % or `enabled: false` rolls it back, a smaller share pauses and caps it, a greater one is
    refused. With `If-Match` the change is made only to the revision that it names.
    """
    stored = await here.store.split()
    wanted = Configuration(body.enabled, body.canary_percentage, rules_of(body.endpoints, here))
    if not caller.role.covers(Role.APPROVER):
        if raises(stored, wanted):
            raise Forbidden(
                f"raising the canary's share needs the role {Role.APPROVER}; {caller.name} has {caller.role}"
            )
        if not _stops(wanted) and expected_revision is None:
            expected_revision = stored.split.revision  # to lower this split is no leave to raise another one
    changed = await here.commands.configure(order_of(caller, here, body), wanted, expected_revision=expected_revision)
    return await _answer(here, changed, response)


@router.get("/explain")
async def explain(
    _caller: Viewer,
    here: Here,
    user_id: Annotated[str, Query(min_length=1, max_length=1_024)],
    endpoint: Annotated[str, Query(max_length=2_048)] = EVERY_ENDPOINT,
) -> ExplanationShape:
    """Which version a user gets, and why: on an endpoint (a path or a template), or on any that has no rule."""
    split = (await here.store.split()).split
    template = endpoint if endpoint in {EVERY_ENDPOINT, OTHER_ENDPOINT} else here.endpoints.match(endpoint)
    return explanation_shape(CanaryRouter(split).explain(user_id, template))


async def observed_percentage(here: Context) -> float | None:
    return canary_percentage(await last_minute(here))


async def last_minute(here: Context) -> Cells:
    return await here.store.window(here.clock() - OBSERVED_SECONDS)


def config_of(here: Context, stored: StoredSplit, observed: float | None) -> ConfigShape:
    salt_id = sha256(stored.split.salt.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return config_shape(stored, salt_id=salt_id, observed_percentage=observed, templates=here.templates)


def rules_of(shapes: Iterable[RuleShape] | None, here: Context) -> tuple[EndpointRule, ...] | None:
    """Raises `InvalidInput` naming every template that the service does not have."""
    if shapes is None:
        return None
    rules = tuple(EndpointRule(canonical(shape.template), shape.enabled, shape.max_percentage) for shape in shapes)
    known = {EVERY_ENDPOINT, OTHER_ENDPOINT, *map(canonical, here.templates)}
    unknown = [
        Problem(
            f"endpoints.{index}.template",
            f"the service has no endpoint {rule.template!r}; GET /config and `serinus config get` list them",
        )
        for index, rule in enumerate(rules)
        if rule.template not in known
    ]
    if unknown:
        raise InvalidInput(*unknown)
    return rules


def raises(stored: StoredSplit, wanted: Configuration) -> bool:
    """Whether the canary would get more anywhere: by the whole share, or on one endpoint."""
    before, after = stored.split, wanted.applied_to(stored)
    return any(_share(after, template) > _share(before, template) for template in _templates(before, after))


def _templates(*splits: Split) -> set[str]:
    return {EVERY_ENDPOINT, *(rule.template for split in splits for rule in split.endpoints)}


def _share(split: Split, template: str) -> float:
    return CanaryRouter(split).explain(None, template).percentage


def _stops(wanted: Configuration) -> bool:
    return wanted.enabled is False or wanted.percentage == 0


async def _answer(here: Context, stored: StoredSplit, response: Response) -> ConfigShape:
    response.headers["ETag"] = f'"{stored.split.revision}"'
    return config_of(here, stored, await observed_percentage(here))
