"""One version of mentor as an ASGI application."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from mentor.bodies import BodyLimit
from mentor.canary.v2_phase4_routes import phase4_routes
from mentor.dependencies import Engines
from mentor.headers import PrivateAnswers
from mentor.health import Condition
from mentor.problems import OFTEN, answer_problems, documented
from serinus import DeploymentVersion, Options, StoreUnavailable

logger = logging.getLogger(__name__)


def version_app(engines: Engines, version: DeploymentVersion) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        engines.initialize()
        await _prepare_or_warn(engines)
        yield
        await engines.close()

    app = FastAPI(title=f"mentor ({version})", version="2.0", lifespan=lifespan, responses=documented(*OFTEN))
    app.state.callers = engines.callers
    app.router.routes.extend(phase4_routes(engines, version).routes)  # included, they would all be built once more
    _add_probes(app, engines, version)
    answer_problems(app)
    app.add_middleware(BodyLimit, max_bytes=Options().body_limit_bytes)  # a larger one has no subject either
    app.add_middleware(PrivateAnswers)
    return app


def _add_probes(app: FastAPI, engines: Engines, version: DeploymentVersion) -> None:
    checks = engines.health(version)

    @app.get("/health", tags=["health"])
    async def alive() -> dict[str, str]:
        return {"status": "alive"}

    @app.get(
        "/ready", tags=["health"], responses={503: {"description": "Not ready", "content": {"application/json": {}}}}
    )
    async def ready() -> JSONResponse:
        checkup = await checks.check()
        if not checkup.stores:
            await _prepare_or_warn(engines)
            checkup = await checks.check()
        ready = checkup.condition is Condition.HEALTHY
        return JSONResponse({"status": "ready" if ready else "not ready"}, status_code=200 if ready else 503)


async def _prepare_or_warn(engines: Engines) -> None:
    """A store that is away at the start keeps nobody from starting: `/ready` says so, and prepares it later."""
    try:
        await engines.prepare()
    except StoreUnavailable as error:
        logger.warning("the store is not ready: %s", error)
