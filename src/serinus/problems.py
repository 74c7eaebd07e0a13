"""Errors as ``application/problem+json`` (RFC 9457), each with a `type` that stays the same whatever its wording."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from serinus.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    StaleRevision,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
)
from serinus.errors import Problem as InvalidProblem
from serinus.messages import DEFAULT_LANGUAGE
from serinus.messages.phrases import preferred, translate

PREFIX = "urn:serinus:problem:"
KINDS: Mapping[type, tuple[str, int]] = {
    InvalidInput: ("invalid-input", 422),
    Unauthenticated: ("unauthenticated", 401),
    TooManyAttempts: ("too-many-attempts", 429),
    Forbidden: ("forbidden", 403),
    NotFound: ("not-found", 404),
    StaleRevision: ("stale-revision", 409),
    Refused: ("refused", 409),
    StoreUnavailable: ("store-unavailable", 503),
}
TITLES = {
    "invalid-input": "The input cannot be used",
    "unauthenticated": "A valid bearer token is needed",
    "too-many-attempts": "Too many failed attempts to log in",
    "forbidden": "The token's role does not allow this",
    "not-found": "There is no such thing",
    "stale-revision": "Somebody changed it in between",
    "refused": "Not possible in the present state",
    "store-unavailable": "The store does not answer",
    "body-too-large": "The body is too large",
    "internal": "Something went wrong inside",
}
HEADERS: Mapping[str, Mapping[str, str]] = {
    "unauthenticated": {"WWW-Authenticate": 'Bearer realm="serinus"'},
    "store-unavailable": {"Retry-After": "5"},
}


class Problem(JSONResponse):
    """`detail` is a sentence, or for invalid input the list of what is wrong where, as FastAPI writes it."""

    media_type = "application/problem+json"

    def __init__(
        self,
        kind: str,
        status: int,
        detail: object,
        headers: Mapping[str, str] | None = None,
        *,
        language: str = DEFAULT_LANGUAGE,
    ) -> None:
        title = translate(TITLES.get(kind) or HTTPStatus(status).phrase, language)
        said = translate(detail, language) if isinstance(detail, str) else detail
        body = {"type": PREFIX + kind, "title": title, "status": status, "detail": said}
        super().__init__(body, status, headers={**HEADERS.get(kind, {}), **(headers or {})})


def language_of(request: Request) -> str:
    """The query's, or the first of ``Accept-Language`` that there is, or English."""
    asked = request.query_params.get("language", "")
    return preferred((asked, *request.headers.get("accept-language", "").split(",")), DEFAULT_LANGUAGE)


def on_own(request: Request, error: Exception) -> Problem:
    """An application's handler of `SerinusError`."""
    language = language_of(request)
    kind, status = next((KINDS[kind] for kind in type(error).__mro__ if kind in KINDS), ("internal", 500))
    if isinstance(error, InvalidInput):
        found = [_invalid(request, problem, language) for problem in error.problems]
        return Problem(kind, status, found, language=language)
    if isinstance(error, StoreUnavailable):
        return Problem(
            kind,
            status,
            "the store cannot be used at the moment; try again soon, and see the service's log",
            language=language,
        )
    headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, TooManyAttempts) else None
    return Problem(kind, status, str(error), headers, language=language)


def _invalid(request: Request, problem: InvalidProblem, language: str) -> dict[str, Any]:
    """As FastAPI writes it."""
    if problem.where in request.query_params:
        place = "query"
    else:
        place = "header" if problem.where in request.headers else "body"
    located = {} if problem.line is None else {"line": problem.line}
    said = translate(problem.message, language)
    return {"type": "value_error", "loc": [place, *problem.where.split(".")], "msg": said, **located}
