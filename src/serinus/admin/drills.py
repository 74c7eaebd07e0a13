"""Drills of the rollback."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from serinus.admin.access import Operator
from serinus.admin.context import Here, Language
from serinus.admin.orders import Body, Name, order_of
from serinus.admin.shapes import EventShape
from serinus.admin.views import event_shape
from serinus.drill.faults import Fault
from serinus.drill.receipt import Drill, DrillScope
from serinus.plans import load_shipped
from serinus.rollout.plan import Plan

USUAL_PLAN = "phase4"

router = APIRouter(prefix="/drill", tags=["drill"])


class DrillBody(Body):
    """Without `plan` (the name of one that ships), the latest rollout's triggers are drilled, or phase4's.

    `path` is what synthetic users ask a live service for; GET must do no harm there.
    """

    fault: Fault = Fault.ERRORS
    scope: DrillScope = DrillScope.STAGING
    plan: Name | None = None
    path: Annotated[str, StringConstraints(pattern="^/", max_length=512)] = Field("/health")


@router.post("", status_code=202)
async def start_drill(caller: Operator, here: Here, language: Language, body: DrillBody | None = None) -> EventShape:
    """Begin a drill; it ends with an event `drill_completed` of the same incident, told by the report `drill`."""
    wanted = body or DrillBody()
    plan = load_shipped(wanted.plan) if wanted.plan else await _plan(here)
    drill = Drill(wanted.fault, wanted.scope, plan, wanted.path, wanted.reason)
    return event_shape(await here.drills.start(drill, order_of(caller, here, body)), language)


async def _plan(here: Here) -> Plan:
    rollout = await here.store.latest_rollout()
    return rollout.plan if rollout else load_shipped(USUAL_PLAN)
