"""Starlette: two applications in one process. `serinus serve starlette_two_apps:app` in this folder."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from serinus import application, subject


async def total(request: Request) -> JSONResponse:
    return JSONResponse({"total": 10 * request.path_params["quantity"]})


async def total_and_each(request: Request) -> JSONResponse:
    quantity = request.path_params["quantity"]
    return JSONResponse({"total": 10 * quantity, "each": 10 * quantity // quantity})  # fails for none


app = application(
    legacy=Starlette(routes=[Route("/totals/{quantity:int}", total)]),
    canary=Starlette(routes=[Route("/totals/{quantity:int}", total_and_each)]),
    subject=subject.first_of(subject.header("x-user-id"), subject.cookie("session")),
)
