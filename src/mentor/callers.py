"""Who is calling: a bearer token or a header that a gateway has signed says so, and a caller acts for themselves alone.

Bearer: a JSON Web Token (RFC 7519), HS256, with `sub` (the user) and `exp`. Signed header, for gateways that have
authenticated the user already: `X-Mentor-User: <percent-encoded user>` with `X-Mentor-Signature: t=<epoch seconds>,
v1=<hex>`, the HMAC-SHA256 of the user, a line feed, and the seconds.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import jwt
from starlette.requests import HTTPConnection

from mentor.errors import NotYours, SessionNotFound, Unauthenticated
from mentor.rates import RateLimit

USER_HEADER, SIGNATURE_HEADER = "X-Mentor-User", "X-Mentor-Signature"
SIGNATURE_LASTS_S: Final = 300.0
_ALGORITHM: Final = "HS256"
_SIGNATURE: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """`user_id` is None where callers are not asked who they are: then anybody may act for anybody."""

    user_id: str | None

    def must_be(self, user_id: str) -> None:
        """Raises NotYours."""
        if self.user_id not in {None, user_id}:
            raise NotYours("Ask for your own user's data: the user_id has to be the one you are signed in as.")

    def must_own(self, owner: str | None) -> None:
        """Raises SessionNotFound: whose a conversation is, and whether there is one, is nobody else's business."""
        if self.user_id not in {None, owner}:
            raise SessionNotFound("Start a conversation with POST /api/v2/conversations/start.")


class Callers:
    """`secret` is None where authentication is off."""

    def __init__(self, secret: str | None, limit: RateLimit | None, clock: Callable[[], float]) -> None:
        self._secret = secret
        self._limit = limit
        self._clock = clock

    def identify(self, connection: HTTPConnection) -> Caller:
        """Raises Unauthenticated, and TooManyRequests where the caller has used up their rate."""
        caller = Caller(self._user(connection, self._secret) if self._secret else None)
        if self._limit is not None:
            host = connection.client.host if connection.client else ""
            self._limit.take(caller.user_id or host)
        return caller

    def _user(self, connection: HTTPConnection, secret: str) -> str:
        authorization = connection.headers.get("authorization", "")
        if authorization.lower().startswith(_BEARER):
            return _bearer(authorization[len(_BEARER) :].strip(), secret, now=self._clock())
        if USER_HEADER in connection.headers:
            user_id = unquote(connection.headers[USER_HEADER])
            _check_signature(user_id, connection.headers.get(SIGNATURE_HEADER, ""), secret, now=self._clock())
            return user_id
        raise Unauthenticated(f"Send a bearer token, or {USER_HEADER} with {SIGNATURE_HEADER}.")


def issue_token(user_id: str, secret: str, *, expires_at: float) -> str:
    """A bearer token for one user, valid until that instant (epoch seconds)."""
    return jwt.encode({"sub": user_id, "exp": int(expires_at)}, secret, algorithm=_ALGORITHM)


def signature(user_id: str, secret: str, *, now: float) -> str:
    """The value of the signature header for one user."""
    instant = str(int(now))
    return f"t={instant},v1={_mac(user_id, instant, secret)}"


def _bearer(token: str, secret: str, *, now: float) -> str:
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            options={"require": ["sub", "exp"], "verify_exp": False},
        )
        user_id, expires_at = str(claims["sub"]), float(claims["exp"])
    except (jwt.InvalidTokenError, TypeError, ValueError) as error:
        raise Unauthenticated("The token is not one that this service accepts; get another one.") from error
    if expires_at <= now:
        raise Unauthenticated("The token has expired; get another one.")
    return user_id


def _check_signature(user_id: str, given: str, secret: str, *, now: float) -> None:
    found = _SIGNATURE.fullmatch(given)
    if found is None or not hmac.compare_digest(found[2], _mac(user_id, found[1], secret)):
        raise Unauthenticated(f"{SIGNATURE_HEADER} does not belong to {USER_HEADER}.")
    if abs(now - int(found[1])) > SIGNATURE_LASTS_S:
        raise Unauthenticated(f"{SIGNATURE_HEADER} is too old: sign every request, with a clock that is right.")


def _mac(user_id: str, instant: str, secret: str) -> str:
    return hmac.new(secret.encode(), f"{user_id}\n{instant}".encode(), "sha256").hexdigest()
