"""The reference service: LEGACY and CANARY of mentor side by side. `uvicorn mentor.main:app` serves it."""

from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from mentor.canary.app import canary_app
from mentor.canary.v2_phase4_routes import phase4_routes
from mentor.dependencies import Engines, get_engines
from mentor.legacy.app import legacy_app
from mentor.settings import MentorSettings
from mentor.subject import ConversationOwner
from serinus import DeploymentVersion, Options, application, subject

HEALTH = "/api/v2/phase4/health"
SAFE = frozenset({"/api/v2/recommend/personalized", "/api/v2/recommend/compare"})  # asked twice, they do no harm


def create_app(settings: MentorSettings | None = None) -> ASGIApp:
    """The whole service; without `settings`, over the engines of `mentor.dependencies`."""
    engines = Engines(settings) if settings else get_engines()
    return service(engines, legacy=legacy_app(engines), canary=canary_app(engines))


def service(engines: Engines, *, legacy: ASGIApp, canary: ASGIApp) -> ASGIApp:
    """Both versions behind serinus. A user keeps their version, in their conversations too."""
    return application(
        legacy=legacy,
        canary=canary,
        subject=subject.first_of(
            subject.function(ConversationOwner(engines.session_manager)),
            subject.json_field("user_id"),
            subject.query("user_id"),
        ),
        options=Options(
            endpoints=templates(engines),
            exclude=(*Options().exclude, HEALTH),
            safe_endpoints=SAFE,
        ),
    )


def templates(engines: Engines) -> tuple[str, ...]:
    """Every path of API v2 once."""
    routes = phase4_routes(engines, DeploymentVersion.LEGACY).routes
    return tuple(dict.fromkeys(route.path for route in routes if isinstance(route, APIRoute)))


app = create_app()
