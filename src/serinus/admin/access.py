"""How a request proves who sent it: by a bearer token, or by the session of a browser."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from serinus.access import SESSION_COOKIE, Access, Caller, Role, refuse_forged
from serinus.errors import Unauthenticated

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(auto_error=False, description="a token made by `serinus token create` or SERINUS_ADMIN_TOKEN")
_cookie = APIKeyCookie(
    name=SESSION_COOKIE, auto_error=False, description="the console's session; changes need X-Serinus-Console too"
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
SessionSecret = Annotated[str | None, Depends(_cookie)]


async def _identified(request: Request, credentials: Credentials, session: SessionSecret) -> Caller:
    """A bearer token counts before a session: who sends one means it."""
    access: Access = request.state.context.access
    if credentials is not None or session is None:
        return await access.identify(credentials.credentials if credentials else None, _address(request))
    if request.method not in SAFE_METHODS:
        refuse_forged(request.headers)
    return (await access.resume_session(session, _address(request))).caller


def _caller_with(role: Role) -> Callable[[Request, Credentials, SessionSecret], Coroutine[Any, Any, Caller]]:
    async def caller(request: Request, credentials: Credentials, session: SessionSecret) -> Caller:
        caller = await _identified(request, credentials, session)
        caller.require(role)
        return caller

    return caller


async def _asked_again(
    request: Request, credentials: Credentials, session: SessionSecret
) -> Callable[[], Awaitable[bool]]:
    """Whether the token, or the session, that opened a long answer is still in force."""

    async def in_force() -> bool:
        try:
            await _identified(request, credentials, session)
        except Unauthenticated:
            return False
        return True

    return in_force


async def _metrics_reader(request: Request, credentials: Credentials, session: SessionSecret) -> Caller:
    access: Access = request.state.context.access
    if access.public_metrics:
        return Caller("anybody", Role.VIEWER, _address(request))
    return await _identified(request, credentials, session)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


Viewer = Annotated[Caller, Depends(_caller_with(Role.VIEWER))]
Operator = Annotated[Caller, Depends(_caller_with(Role.OPERATOR))]
Approver = Annotated[Caller, Depends(_caller_with(Role.APPROVER))]
Admin = Annotated[Caller, Depends(_caller_with(Role.ADMIN))]
InForce = Annotated[Callable[[], Awaitable[bool]], Depends(_asked_again)]
MetricsReader = Annotated[Caller, Depends(_metrics_reader)]
