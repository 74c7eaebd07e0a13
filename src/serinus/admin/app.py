"""The admin API as one ASGI application."""

from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp

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
PARTS = (configuration, measurements, rollouts, plans, status, events, alerts, drills, reports, tokens)


def admin_app(context: Context, *, max_body_bytes: int = MAX_BODY_BYTES) -> ASGIApp:
    """Everything under `PREFIX`, and ``/metrics`` for Prometheus."""
    app = FastAPI(
        title="serinus admin API",
        version=version("serinus"),
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        responses=problems.RESPONSES,
    )
    app.state.context = context
    problems.install(app)
    for part in PARTS:
        app.include_router(part.router, prefix=PREFIX)
    app.include_router(prometheus.router)
    return SecurityHeaders(JsonBodies(app, max_body_bytes), POLICY)
