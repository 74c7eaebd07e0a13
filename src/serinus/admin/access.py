"""Who may do what: bearer tokens and their roles."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from serinus.errors import Forbidden, Unauthenticated
from serinus.storage.store import Store


class Role(StrEnum):
    """Each may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        roles = list(Role)
        return roles.index(self) >= roles.index(needed)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; `address` is where the request came from, as far as the server knows."""

    name: str
    role: Role
    address: str = ""

    def require(self, role: Role) -> None:
        """Raises `Forbidden`."""
        if not self.role.covers(role):
            raise Forbidden(f"this needs the role {role}; {self.name} has {self.role}")


@dataclass(frozen=True, slots=True)
class Access:
    """Knows the tokens: those in the store, and one from the settings, whose holder is admin under `admin_name`."""

    store: Store
    clock: Callable[[], float]
    admin_token: str | None = None
    admin_name: str = "admin"
    public_metrics: bool = False

    async def identify(self, secret: str | None, address: str) -> Caller:
        """Raises `Unauthenticated`, in the same words whatever is wrong with the secret."""
        if not secret:
            raise Unauthenticated(
                "send a token: 'Authorization: Bearer TOKEN'; "
                "the first is made by `serinus token create`, or set as SERINUS_ADMIN_TOKEN"
            )
        if self.admin_token is not None and compare_digest(_digest(secret), _digest(self.admin_token)):
            return Caller(self.admin_name, Role.ADMIN, address)
        token = await self.store.token(secret, self.clock())
        if token is None:
            raise Unauthenticated("the token is unknown, revoked or expired; ask an admin for another")
        return Caller(token.name, Role(token.role), address)


def _digest(secret: str) -> bytes:
    """Comparing digests takes the same time whatever the secrets' lengths."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


_bearer = HTTPBearer(auto_error=False, description="a token made by `serinus token create` or SERINUS_ADMIN_TOKEN")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _caller_with(role: Role) -> Callable[[Request, Credentials], Coroutine[Any, Any, Caller]]:
    async def caller(request: Request, credentials: Credentials) -> Caller:
        access: Access = request.app.state.context.access
        caller = await access.identify(_secret(credentials), _address(request))
        caller.require(role)
        return caller

    return caller


async def _metrics_reader(request: Request, credentials: Credentials) -> Caller:
    access: Access = request.app.state.context.access
    if access.public_metrics:
        return Caller("anybody", Role.VIEWER, _address(request))
    return await access.identify(_secret(credentials), _address(request))


def _secret(credentials: HTTPAuthorizationCredentials | None) -> str | None:
    return None if credentials is None else credentials.credentials


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


Viewer = Annotated[Caller, Depends(_caller_with(Role.VIEWER))]
Operator = Annotated[Caller, Depends(_caller_with(Role.OPERATOR))]
Approver = Annotated[Caller, Depends(_caller_with(Role.APPROVER))]
Admin = Annotated[Caller, Depends(_caller_with(Role.ADMIN))]
MetricsReader = Annotated[Caller, Depends(_metrics_reader)]
