"""What cannot be used is refused where it is handed over, with what to write instead."""

from types import ModuleType
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from fastapi import APIRouter, FastAPI
from litestar import Litestar
from starlette.endpoints import HTTPEndpoint

from serinus import Canary, Options, subject
from serinus.errors import InvalidInput
from serinus.messages.phrases import knows

WHO = subject.header("x-user-id")


def refused(**arguments: Any) -> dict[str, str]:
    """The problems by argument, when all the others are good."""
    good = {"legacy": FastAPI(), "canary": FastAPI(), "subject": WHO}
    with pytest.raises(InvalidInput) as refusal:
        Canary(**good | arguments)
    assert all(knows(problem.message, "ko") for problem in refusal.value.problems)
    return {problem.where: problem.message for problem in refusal.value.problems}


def make() -> FastAPI:
    return FastAPI()


async def handler(request: object) -> None:
    """One argument, as web frameworks call it."""


@pytest.mark.parametrize(
    ("app", "advice"),
    [
        (None, "nothing can call it"),
        ("shop:app", "import it and give the application itself"),
        (ModuleType("shop"), "'shop' is the name of an application at best"),
        (FastAPI, "such as FastAPI()"),
        (make, "make is no ASGI application, which takes (scope, receive, send): it takes no arguments"),
        (handler, "it takes one argument, as a handler of requests does"),
        (WSGIHandler.__call__.__get__(object()), "it takes two arguments, as a WSGI application does"),
    ],
)
def test_what_is_no_asgi_application_is_refused_with_what_it_seems_to_be(app: object, advice: str) -> None:
    assert advice in refused(legacy=app)["legacy"]
    assert advice in refused(canary=app)["canary"]


@pytest.mark.parametrize(
    ("who", "advice"),
    [
        ("x-user-id", "such as subject.header('x-user-id')"),
        (None, "write it like subject.header('x-user-id')"),
        (subject, "does not say who a request is from"),
        (lambda request: request, "a subject function is called with (scope, body)"),
        (subject.function(subject.header), "header cannot take two arguments"),
    ],
)
def test_what_says_not_who_a_request_is_from_is_refused(who: object, advice: str) -> None:
    assert advice in refused(subject=who)["subject"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert list(refused(legacy=1, canary=2, subject=3, options={})) == ["legacy", "canary", "subject", "options"]


@pytest.mark.parametrize(
    "app", [FastAPI(), APIRouter(), Litestar(), HTTPEndpoint, Canary(FastAPI(), FastAPI(), subject=WHO)]
)
def test_every_kind_of_asgi_application_is_taken(app: Any) -> None:
    assert Canary(app, app, subject=lambda scope, body=None: None).legacy is app


@pytest.mark.parametrize(
    "wrong",
    [
        {"exclude": "/health"},
        {"endpoints": "/totals"},
        {"safe_methods": "GET"},
        {"timeout_seconds": 0},
        {"subject_seconds": -1.0},
        {"body_limit_bytes": 0},
    ],
)
def test_options_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=rf"options\.{next(iter(wrong))}: ") as refusal:
        Options(**wrong)
    assert knows(refusal.value.problems[0].message, "ko")


@pytest.mark.parametrize(
    ("make_subject", "name"),
    [
        (subject.header, ""),
        (subject.header, "x user id"),
        (subject.header, "사용자"),
        (subject.cookie, "a;b"),
        (subject.query, ""),
        (subject.json_field, "user."),
    ],
)
def test_a_name_that_no_request_can_have_is_refused(make_subject: Any, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be the name of") as refusal:
        make_subject(name)
    assert knows(refusal.value.problems[0].message, "ko")


def test_first_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one subject or more"):
        subject.first_of()
