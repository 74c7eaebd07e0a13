"""What mentor refuses, each with the HTTP status and the stable name that clients see."""

from typing import ClassVar


class MentorError(Exception):
    """The root; `str(error)` is safe to show to a client."""

    status: ClassVar[int]
    name: ClassVar[str]
    title: ClassVar[str]


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
