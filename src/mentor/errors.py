"""What mentor refuses, each with the HTTP status and the stable name that clients see."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class MentorError(Exception):
    """The root; `str(error)` is safe to show to a client."""

    status: ClassVar[int]
    name: ClassVar[str]
    title: ClassVar[str]
    response_headers: Mapping[str, str] = MappingProxyType({})


class SessionNotFound(MentorError):
    status, name, title = 404, "session-not-found", "No such conversation"


class SessionClosed(MentorError):
    status, name, title = 409, "session-closed", "The conversation is closed"


class SessionExpired(MentorError):
    status, name, title = 410, "session-expired", "The conversation has expired"


class SessionBusy(MentorError):
    status, name, title = 409, "session-busy", "Too many turns of one conversation at the same time"


class RecommendationNotFound(MentorError):
    status, name, title = 404, "recommendation-not-found", "No such recommendation"


class InvalidCursor(MentorError):
    status, name, title = 422, "invalid-cursor", "The cursor is not one that this service gave out"


class Unauthenticated(MentorError):
    status, name, title = 401, "unauthenticated", "It is not clear who is calling"
    response_headers = MappingProxyType({"WWW-Authenticate": "Bearer"})


class NotYours(MentorError):
    status, name, title = 403, "not-yours", "That is another user's"


class TooManyRequests(MentorError):
    status, name, title = 429, "too-many-requests", "Too many requests"

    def __init__(self, per_minute: int, retry_after_s: int) -> None:
        super().__init__(f"More than {per_minute} requests a minute; come again in {retry_after_s} s.")
        self.response_headers = {"Retry-After": str(retry_after_s)}
