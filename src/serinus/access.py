"""Who may do what: tokens, their roles, and the sessions of browsers that stand for a token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest, digest
from math import inf
from secrets import token_urlsafe
from urllib.parse import urlsplit

from serinus.attempts import Attempts
from serinus.errors import Forbidden, Unauthenticated
from serinus.storage.sessions import Session
from serinus.storage.store import Store
from serinus.storage.tokens import Token

SESSION_COOKIE = "serinus_session"
SESSION_SECONDS = 12 * 3_600.0
ORDER_HEADER = "x-serinus-console"
"""What every change made with a session carries: no page of another site can send it without a CORS preflight."""


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
class Opened:
    """A session just begun: its secret, which is stored nowhere, whose it is, and until when (epoch seconds)."""

    secret: str
    caller: Caller
    expires_at: float


@dataclass(frozen=True, slots=True)
class Access:
    """Knows the tokens: those in the store, and one from the settings, whose holder is admin under `admin_name`.

    A session is bound to the token that opened it, and ends with it. To the settings' token it is bound by a seal: an
    HMAC of that token under the session's secret, so that what is stored tells nobody anything about either.
    """

    store: Store
    clock: Callable[[], float]
    admin_token: str | None = None
    admin_name: str = "admin"
    public_metrics: bool = False
    attempts: Attempts = field(default_factory=Attempts)

    async def identify(self, secret: str | None, address: str) -> Caller:
        """Raises `Unauthenticated`, in the same words whatever is wrong with the secret, and `TooManyAttempts`."""
        if not secret:
            raise Unauthenticated(
                "send a token: 'Authorization: Bearer TOKEN'; "
                "the first is made by `serinus token create`, or set as SERINUS_ADMIN_TOKEN"
            )
        with self.attempts.one(address, _digest(secret), self.clock()):
            token = None if self._is_admins(secret) else await self._stored(secret)
        return self._caller(token, address)

    async def open_session(self, secret: str | None, address: str) -> Opened:
        """Begin a session on the strength of a token; raises what `identify` does."""
        caller = await self.identify(secret, address)
        now, opened = self.clock(), token_urlsafe(32)
        token = None if self._is_admins(secret or "") else await self._stored(secret or "")
        lasting = inf if token is None or token.expires_at is None else token.expires_at
        seal = None if token else self._seal(opened)
        session = Session(expires_at=min(now + SESSION_SECONDS, lasting), token=token, seal=seal)
        await self.store.open_session(opened, session, now)
        return Opened(opened, caller, session.expires_at)

    async def resume_session(self, secret: str, address: str) -> Opened:
        """Raises `Unauthenticated` when the session, or the token behind it, is no longer in force."""
        session = await self.store.session(secret, self.clock())
        if session is None or not (session.token or self._is_sealed(session, secret)):
            raise Unauthenticated("the session is over; log in again")
        return Opened(secret, self._caller(session.token, address), session.expires_at)

    async def close_session(self, secret: str) -> None:
        """Harmless to repeat."""
        await self.store.close_session(secret)

    async def _stored(self, secret: str) -> Token:
        token = await self.store.token(secret, self.clock())
        if token is None:
            raise Unauthenticated("the token is unknown, revoked or expired; ask an admin for another")
        return token

    def _caller(self, token: Token | None, address: str) -> Caller:
        """None stands for the settings' token."""
        if token is None:
            return Caller(self.admin_name, Role.ADMIN, address)
        return Caller(token.name, Role(token.role), address)

    def _is_admins(self, secret: str) -> bool:
        return self.admin_token is not None and compare_digest(_digest(secret), _digest(self.admin_token))

    def _is_sealed(self, session: Session, secret: str) -> bool:
        return session.seal is not None and self.admin_token is not None and session.seal == self._seal(secret)

    def _seal(self, session_secret: str) -> str:
        return digest(session_secret.encode(), _digest(self.admin_token or ""), "sha256").hex()


def refuse_forged(headers: Mapping[str, str]) -> None:
    """Raise `Forbidden` unless a change that a cookie vouches for comes from this installation's own pages.

    It must carry `ORDER_HEADER`, and the browser must say that it comes from the same origin: by ``Sec-Fetch-Site``,
    which no page can set, or where there is none (plain HTTP off loopback) by ``Origin``.
    """
    if ORDER_HEADER not in headers:
        raise Forbidden(f"a change made with a session needs the header {ORDER_HEADER}; programs send a bearer token")
    site = headers.get("sec-fetch-site")
    own = site == "same-origin" if site else urlsplit(headers.get("origin", "")).netloc == headers.get("host")
    if not own:
        raise Forbidden("the change was ordered by a page of another site, and a session stands for its own pages only")


def _digest(secret: str) -> bytes:
    """Comparing digests takes the same time whatever the secrets' lengths."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
