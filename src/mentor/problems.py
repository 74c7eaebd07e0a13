"""Errors as `application/problem+json` (RFC 9457), with a stable `type` and nothing of the inside."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mentor.errors import MentorError
from serinus import StoreUnavailable

logger = logging.getLogger(__name__)

_MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER_S: Final = 5
_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:mentor:problem:session-not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]},
    },
}
OFTEN: Final = (400, 401, 403, 413, 422, 429, 503)
"""What any call may be answered: who calls, how often, and with what body."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: that a call may be answered by a problem with one of these statuses."""
    content = {_MEDIA_TYPE: {"schema": _SCHEMA}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def answer_problems(app: FastAPI) -> None:
    """Make `app` answer every error as a problem."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MentorError, _refused)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """`detail` stays FastAPI's list; the rejected values themselves are not sent back."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [{"type": item["type"], "loc": item["loc"], "msg": item["msg"]} for item in errors]
    return _problem(422, "invalid-request", "The request is not valid", detail=detail)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, MentorError):
        raise TypeError(error)
    return _problem(error.status, error.name, error.title, detail=str(error), headers=error.response_headers)


async def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    logger.warning("answered 503: %s", error)
    return _problem(
        503,
        "store-unavailable",
        "The store does not answer",
        detail="Try again in a few seconds.",
        headers={"Retry-After": str(_RETRY_AFTER_S)},
    )


async def _http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise TypeError(error)
    phrase = HTTPStatus(error.status_code).phrase
    name = phrase.lower().replace(" ", "-")
    return _problem(error.status_code, name, phrase, detail=str(error.detail), headers=error.headers)


async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    """Starlette raises the error again after this answer, so that the server logs it and the canary counts it."""
    return _problem(500, "internal-error", "Something went wrong on our side", detail="It has been logged.")


def _problem(
    status: int, name: str, title: str, *, detail: Any, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = {"type": f"urn:mentor:problem:{name}", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type=_MEDIA_TYPE)
