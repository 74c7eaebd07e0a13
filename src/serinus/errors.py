"""What can go wrong, as one tree.

    SerinusError
    ├── InvalidInput          what was given cannot be used; every problem is listed      HTTP 422
    ├── Unauthenticated       no token, or one that is unknown, revoked or expired         HTTP 401
    ├── TooManyAttempts       too many of these from one address                           HTTP 429
    ├── Forbidden             the token's role does not allow this                         HTTP 403
    ├── NotFound              nothing by that name                                         HTTP 404
    ├── Refused               not possible in the present state; the message says why      HTTP 409
    │   └── StaleRevision     somebody else changed it in between                          HTTP 409
    ├── Deposed               another process leads; within the process only
    ├── SourceUnavailable     a Prometheus that measures cannot be read; within the process only
    └── StoreUnavailable      the database does not answer, is full, or is read-only       HTTP 503
        └── Unreadable        a stored row is damaged, or a later version wrote it         HTTP 503

Every message says what happened and what to do about it, and holds no secret.
"""

from dataclasses import dataclass


class SerinusError(Exception):
    """The root: catch it to catch everything that this library raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where (a dotted path, and a line of the source if there is one), and what."""

    where: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}, {self.where}" if self.line else self.where
        return f"{place}: {self.message}"


class InvalidInput(SerinusError):
    """An input with one or more problems, all of them reported at once."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Unauthenticated(SerinusError):
    """The caller did not prove who they are."""


class TooManyAttempts(SerinusError):
    """The address has failed to log in too often; it may try again in `retry_after_seconds`."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"too many failed attempts from this address; try again in {retry_after_seconds} s")
        self.retry_after_seconds = retry_after_seconds


class Forbidden(SerinusError):
    """The caller is known, and may not do this."""


class NotFound(SerinusError):
    """There is nothing by the name that was asked for."""


class Refused(SerinusError):
    """The command is understood, and not possible now."""


class StaleRevision(Refused):
    """The state has moved on since the caller last saw it."""


class Deposed(SerinusError):
    """Another process has taken the lease: what this one decided, or counted, counts no more."""


class SourceUnavailable(SerinusError):
    """Figures that are measured elsewhere cannot be read at the moment."""


class StoreUnavailable(SerinusError):
    """The store cannot be read or written at the moment."""


class Unreadable(StoreUnavailable):
    """What is stored cannot be understood."""
