"""The rollout: where it stands, and the commands that steer it."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from serinus.admin.access import Approver, Operator, Viewer
from serinus.admin.configuration import observed_percentage, rules_of
from serinus.admin.context import Context, Here, Language
from serinus.admin.orders import ApproveBody, Body, PauseBody, Seen, StartBody, order_of
from serinus.admin.rollout_shapes import HistoryShape, ReportShape, RolloutShape
from serinus.admin.rollout_view import rollout_shape, summary
from serinus.admin.views import report_shape
from serinus.errors import NotFound
from serinus.plans import load_shipped
from serinus.rollout.approval import Attachment, HandedIn
from serinus.rollout.plan import Plan
from serinus.rollout.plan_file import parse_plan, plan_from_mapping
from serinus.rollout.state import Rollout

router = APIRouter(tags=["rollout"])


@router.get("/rollout")
async def read_rollout(_caller: Viewer, here: Here, language: Language, response: Response) -> RolloutShape:
    """The running rollout, or the last one; its entity tag is its `standing`, which orders may name in `If-Match`."""
    rollout = await _latest(here)
    response.headers["ETag"] = f'"{rollout.standing}"'
    return await _answer(here, rollout, language)


@router.get("/analysis")
async def read_analysis(_caller: Viewer, here: Here, language: Language) -> ReportShape:
    """What the controller saw at its last tick, with every check and its reason."""
    report = await here.store.latest_report((await _latest(here)).id)
    if report is None:
        raise NotFound("the rollout has not been judged yet; is a controller running?")
    return report_shape(report, language)


@router.get("/history")
async def read_history(
    _caller: Viewer, here: Here, language: Language, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> HistoryShape:
    """All rollouts, the latest first."""
    return HistoryShape(rollouts=[summary(rollout, language) for rollout in await here.store.rollouts(limit)])


@router.post("/rollout/start", status_code=201)
async def start(caller: Approver, here: Here, body: StartBody, language: Language) -> RolloutShape:
    """Start a rollout, whose plan cannot be changed afterwards; during the cool-down after a rollback by `force`."""
    order, endpoints = order_of(caller, here, body), rules_of(body.endpoints, here)
    started = await here.commands.start(_plan(body), order, force=body.force, endpoints=endpoints)
    return await _answer(here, started, language)


@router.post("/rollout/pause")
async def pause(
    caller: Operator, here: Here, language: Language, seen: Seen, body: PauseBody | None = None
) -> RolloutShape:
    """Stay at the present share, or at a smaller one; the triggers stay on."""
    cap = body.cap_percentage if body else None
    return await _answer(here, await here.commands.pause(order_of(caller, here, body, seen), cap), language)


@router.post("/rollout/resume")
async def resume(
    caller: Operator, here: Here, language: Language, seen: Seen, body: Body | None = None
) -> RolloutShape:
    """Go on where the pause began."""
    return await _answer(here, await here.commands.resume(order_of(caller, here, body, seen)), language)


@router.post("/rollout/approve")
async def approve(caller: Approver, here: Here, language: Language, seen: Seen, body: ApproveBody) -> RolloutShape:
    """Give a person's word for a gate of the present step, on the strength of the report that they saw."""
    attachment = Attachment(body.attachment.name, body.attachment.digest) if body.attachment else None
    approved = await here.commands.approve(
        order_of(caller, here, body, seen),
        gate=body.gate,
        step=body.step,
        report_at=body.report_at.timestamp(),
        handed_in=HandedIn(tuple(body.checked), attachment, body.business_impact),
    )
    return await _answer(here, approved, language)


@router.post("/rollout/advance")
async def advance(
    caller: Approver, here: Here, language: Language, seen: Seen, body: Body | None = None
) -> RolloutShape:
    """To the next step without the rest of the bake time; over what is inconclusive only with a reason."""
    return await _answer(here, await here.commands.advance(order_of(caller, here, body, seen)), language)


@router.post("/rollout/promote")
async def promote(
    caller: Approver, here: Here, language: Language, seen: Seen, body: Body | None = None
) -> RolloutShape:
    """To 100 % from the last step, without the rest of the bake time."""
    return await _answer(here, await here.commands.promote(order_of(caller, here, body, seen)), language)


@router.post("/rollout/hold")
async def hold(caller: Operator, here: Here, language: Language, seen: Seen, body: Body | None = None) -> RolloutShape:
    """Stay at the last step's share for good; after a promotion: back to it."""
    return await _answer(here, await here.commands.hold(order_of(caller, here, body, seen)), language)


@router.post("/rollout/rollback")
async def roll_back(
    caller: Operator, here: Here, language: Language, seen: Seen, body: Body | None = None
) -> RolloutShape:
    """To 0 %, at once; a rollout without traffic yet is ended."""
    return await _answer(here, await here.commands.abort(order_of(caller, here, body, seen)), language)


async def view(here: Context, rollout: Rollout, language: str, observed: float | None) -> RolloutShape:
    """`observed`: the canary's percentage of the last minute's requests."""
    report = await here.store.latest_report(rollout.id)
    return rollout_shape(rollout, report, now=here.clock(), observed_percentage=observed, language=language)


async def _answer(here: Context, rollout: Rollout, language: str) -> RolloutShape:
    return await view(here, rollout, language, await observed_percentage(here))


async def _latest(here: Context) -> Rollout:
    rollout = await here.store.latest_rollout()
    if rollout is None:
        raise NotFound("there has been no rollout yet; start one: POST /admin/canary/rollout/start, or `serinus start`")
    return rollout


def _plan(body: StartBody) -> Plan:
    if isinstance(body.plan, str):
        return load_shipped(body.plan)
    return plan_from_mapping(body.plan) if body.plan is not None else parse_plan(body.source or "")
