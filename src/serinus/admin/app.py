"""The admin API as one ASGI application."""

from functools import cache
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from serinus.admin import (
    alerts,
    configuration,
    drills,
    events,
    measurements,
    plans,
    problems,
    prometheus,
    reports,
    rollouts,
    status,
    tokens,
)
from serinus.admin.bodies import JsonBodies
from serinus.admin.context import Context
from serinus.headers import SecurityHeaders

PREFIX = "/admin/canary"
MAX_BODY_BYTES = 65_536
POLICY = "default-src 'none'; frame-ancestors 'none'"
PARTS = {  # and what their calls may be answered beside `problems.OFTEN`
    configuration: (409,),
    measurements: (404,),
    rollouts: (404, 409),
    plans: (),
    status: (),
    events: (),
    alerts: (),
    drills: (404, 409),
    reports: (404,),
    tokens: (404,),
}


def admin_app(context: Context, *, max_body_bytes: int = MAX_BODY_BYTES) -> ASGIApp:
    """Everything under `PREFIX`, and ``/metrics`` for Prometheus."""
    calls = _calls()

    async def in_context(scope: Scope, receive: Receive, send: Send) -> None:
        await calls({**scope, "state": {**scope.get("state", {}), "context": context}}, receive, send)

    return SecurityHeaders(JsonBodies(in_context, max_body_bytes), POLICY)


@cache
def _calls() -> FastAPI:
    """What can be asked, whatever `Context` it is answered in: to build that takes longer than to answer it."""
    app = FastAPI(
        title="serinus admin API",
        version=version("serinus"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        responses=problems.documented(*problems.OFTEN),
    )
    problems.install(app)
    for part, statuses in PARTS.items():
        app.include_router(part.router, prefix=PREFIX, responses=problems.documented(*statuses))
    app.include_router(prometheus.router)
    return app
