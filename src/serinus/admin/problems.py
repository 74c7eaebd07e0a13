"""How every error of the admin API is answered, and documented."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from serinus.errors import SerinusError
from serinus.messages.phrases import translate
from serinus.problems import PREFIX, Problem, language_of, on_own

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
OFTEN = (400, 401, 403, 413, 422, 429, 503)
"""What any call may be answered: who asks, with what body, and whether the store is there."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: that a call may be answered by a problem with one of these statuses."""
    content = {"application/problem+json": {"schema": _SCHEMA}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a `Problem`."""
    app.add_exception_handler(SerinusError, on_own)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unforeseen)


def _on_validation(request: Request, error: Exception) -> Problem:
    language = language_of(request)
    found = _without_input(error.errors() if isinstance(error, RequestValidationError) else (), language)
    return Problem("invalid-input", 422, found, language=language)


def _on_http(request: Request, error: Exception) -> Problem:
    status = error.status_code if isinstance(error, HTTPException) else 500
    kind = HTTPStatus(status).phrase.lower().replace(" ", "-")
    headers, path = getattr(error, "headers", None) or {}, request.url.path
    if status == HTTPStatus.NOT_FOUND:
        detail = f"there is no {path}; {request.scope.get('root_path', '')}/openapi.json lists what there is"
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{path} does not take {request.method}; it takes {headers.get('Allow', 'another method')}"
    else:
        detail = error.detail if isinstance(error, HTTPException) else ""
    return Problem(kind, status, detail, headers, language=language_of(request))


def _on_unforeseen(request: Request, _error: Exception) -> Problem:
    """The server logs the exception; nothing of it leaves."""
    return Problem("internal", 500, "an unforeseen error; the service's log has it", language=language_of(request))


def _without_input(errors: Iterable[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """What was sent is not sent back: it may be a secret, and may be no JSON (NaN)."""
    return [
        {"type": error["type"], "loc": error["loc"], "msg": translate(_message(error), language)} for error in errors
    ]


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    if error["type"] == "json_invalid":
        return f"this is no JSON ({error['ctx']['error']})"
    return str(error["msg"]).removeprefix("Value error, ")
