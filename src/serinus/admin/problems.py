"""Errors as ``application/problem+json`` (RFC 9457), each with a `type` that stays the same whatever its wording."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serinus.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    SerinusError,
    StaleRevision,
    StoreUnavailable,
    Unauthenticated,
)

PREFIX = "urn:serinus:problem:"
KINDS: Mapping[type[SerinusError], tuple[str, int]] = {
    InvalidInput: ("invalid-input", 422),
    Unauthenticated: ("unauthenticated", 401),
    Forbidden: ("forbidden", 403),
    NotFound: ("not-found", 404),
    StaleRevision: ("stale-revision", 409),
    Refused: ("refused", 409),
    StoreUnavailable: ("store-unavailable", 503),
}
TITLES = {
    "invalid-input": "The input cannot be used",
    "unauthenticated": "A valid bearer token is needed",
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


_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": [f"{PREFIX}refused"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
    },
}
_DOCUMENTED = {"description": "What is wrong", "content": {"application/problem+json": {"schema": _SCHEMA}}}
RESPONSES: dict[int | str, dict[str, Any]] = dict.fromkeys(("4XX", 422, "5XX"), _DOCUMENTED)


class Problem(JSONResponse):
    """`detail` is a sentence, or for invalid input the list of what is wrong where, as FastAPI writes it."""

    media_type = "application/problem+json"

    def __init__(self, kind: str, status: int, detail: object, headers: Mapping[str, str] | None = None) -> None:
        title = TITLES.get(kind) or HTTPStatus(status).phrase
        body = {"type": PREFIX + kind, "title": title, "status": status, "detail": detail}
        super().__init__(body, status, headers={**HEADERS.get(kind, {}), **(headers or {})})


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a `Problem`."""
    app.add_exception_handler(SerinusError, _on_own)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unforeseen)


def _on_own(_request: Request, error: Exception) -> Problem:
    kind, status = next(
        (KINDS[kind] for kind in type(error).__mro__ if kind in KINDS),
        ("internal", 500),
    )
    if isinstance(error, InvalidInput):
        return Problem(
            kind, status, [_invalid(problem.where, problem.message, problem.line) for problem in error.problems]
        )
    if isinstance(error, StoreUnavailable):
        return Problem(
            kind, status, "the store cannot be used at the moment; try again soon, and see the service's log"
        )
    return Problem(kind, status, str(error))


def _on_validation(_request: Request, error: Exception) -> Problem:
    return Problem(
        "invalid-input", 422, _without_input(error.errors() if isinstance(error, RequestValidationError) else ())
    )


def _on_http(_request: Request, error: Exception) -> Problem:
    status = error.status_code if isinstance(error, HTTPException) else 500
    kind = HTTPStatus(status).phrase.lower().replace(" ", "-")
    detail = error.detail if isinstance(error, HTTPException) else None
    return Problem(kind, status, detail, getattr(error, "headers", None))


def _on_unforeseen(_request: Request, _error: Exception) -> Problem:
    """The server logs the exception; nothing of it leaves."""
    return Problem("internal", 500, "an unforeseen error; the service's log has it")


def _invalid(where: str, message: str, line: int | None) -> dict[str, Any]:
    located = {} if line is None else {"line": line}
    return {"type": "value_error", "loc": ["body", *where.split(".")], "msg": message, **located}


def _without_input(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was sent is not sent back: it may be a secret, and may be no JSON (NaN)."""
    return [{name: error[name] for name in ("type", "loc", "msg")} for error in errors]
