"""Logging in with a token, and out; who is there."""

from json import JSONDecodeError, loads

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from serinus.access import SESSION_COOKIE, Access, Opened, refuse_forged
from serinus.errors import InvalidInput, Problem, Unauthenticated

MAX_BODY_BYTES = 4_096
MAX_TOKEN_LENGTH = 1_024
COOKIE_PATHS = ("/console", "/admin/canary")
"""Only there does the browser send the session: the service's own endpoints never see it."""


async def read_session(request: Request) -> Response:
    """Who is logged in, and until when; no content when nobody is."""
    secret = request.cookies.get(SESSION_COOKIE)
    if secret is None:
        return Response(status_code=204)
    try:
        return _told(await _access(request).resume_session(secret, _address(request)))
    except Unauthenticated:
        return _forgotten(request)


async def open_session(request: Request) -> Response:
    """Take a token for a session, in a cookie that no script can read."""
    refuse_forged(request.headers)
    opened = await _access(request).open_session(await _token(request), _address(request))
    response = _told(opened)
    for path in _paths(request):
        response.set_cookie(
            SESSION_COOKIE,
            opened.secret,
            path=path,
            max_age=max(0, int(opened.expires_at - request.app.state.clock())),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return response


async def close_session(request: Request) -> Response:
    refuse_forged(request.headers)
    if secret := request.cookies.get(SESSION_COOKIE):
        await _access(request).close_session(secret)
    return _forgotten(request)


def _forgotten(request: Request) -> Response:
    response = Response(status_code=204)
    for path in _paths(request):
        response.delete_cookie(SESSION_COOKIE, path=path, httponly=True, samesite="strict")
    return response


async def _token(request: Request) -> str:
    """Raises `InvalidInput`."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise InvalidInput(Problem("token", f"the body has more than {MAX_BODY_BYTES} bytes"))
    try:
        token = loads(body).get("token")
    except (JSONDecodeError, UnicodeDecodeError, AttributeError, RecursionError):
        token = None
    if not isinstance(token, str) or not 0 < len(token.strip()) <= MAX_TOKEN_LENGTH:
        raise InvalidInput(Problem("token", 'send {"token": "..."}'))
    return token.strip()


def _told(opened: Opened) -> JSONResponse:
    caller = opened.caller
    return JSONResponse({"name": caller.name, "role": caller.role, "expires_at_seconds": opened.expires_at})


def _paths(request: Request) -> list[str]:
    root: str = request.scope.get("root_path", "")
    return [root.rstrip("/") + path for path in COOKIE_PATHS]


def _access(request: Request) -> Access:
    access: Access = request.app.state.access
    return access


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
