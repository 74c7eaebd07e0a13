"""The web console as one ASGI application: static modules, and the sessions of browsers."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from serinus.access import Access
from serinus.console import sessions
from serinus.console.files import File, static_files
from serinus.errors import NotFound, SerinusError
from serinus.headers import SecurityHeaders
from serinus.problems import on_own

PREFIX = "/console"
PAGE = "index.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)


def console_app(access: Access, clock: Callable[[], float]) -> ASGIApp:
    """Everything under `PREFIX`; its pages speak to the admin API of the same origin."""
    app = Starlette(
        routes=[
            Route(PREFIX, _page),
            Route(f"{PREFIX}/session", sessions.read_session),
            Route(f"{PREFIX}/session", sessions.open_session, methods=["POST"]),
            Route(f"{PREFIX}/session", sessions.close_session, methods=["DELETE"]),
            Route(f"{PREFIX}/{{path:path}}", _file),
        ],
        middleware=[Middleware(SecurityHeaders, policy=POLICY, is_cacheable=True)],
        exception_handlers={SerinusError: on_own},
    )
    app.state.access, app.state.clock = access, clock
    return app


async def _page(request: Request) -> Response:
    return _answer(request, static_files()[PAGE])


async def _file(request: Request) -> Response:
    """The page is at `PREFIX` alone: relative addresses in it would lead elsewhere from another place."""
    path: str = request.path_params["path"]
    if not path:
        return Response(status_code=308, headers={"Location": "../console"})
    file = None if path == PAGE else static_files().get(path)
    if file is None:
        raise NotFound("the console has no such file")
    return _answer(request, file)


def _answer(request: Request, file: File) -> Response:
    """Kept by browsers and asked for again each time, so that an upgrade never meets a part of what was before."""
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if file.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
