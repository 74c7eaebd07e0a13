"""The plans that ship with serinus, to start a rollout by."""

from fastapi import APIRouter

from serinus.admin.access import Viewer
from serinus.admin.rollout_shapes import PlanShape, PlansShape
from serinus.admin.rollout_view import plan_steps
from serinus.plans import load_shipped, shipped_names, shipped_text

router = APIRouter(prefix="/plans", tags=["rollout"])


@router.get("")
async def list_plans(_caller: Viewer) -> PlansShape:
    """Each with its TOML source, which `start` takes changed too."""
    return PlansShape(plans=[_plan(name) for name in shipped_names()])


def _plan(name: str) -> PlanShape:
    plan = load_shipped(name)
    return PlanShape(name=name, final=plan.final, steps=plan_steps(plan), source=shipped_text(name))
