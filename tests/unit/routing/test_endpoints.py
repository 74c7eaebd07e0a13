"""Paths find their template, and an application's templates are found whatever way it is put together."""

import re
import uuid
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import assume, given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute, compile_path
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from serinus.deployment import OTHER_ENDPOINT
from serinus.errors import InvalidInput
from serinus.routing.endpoints import EndpointTable, canonical, templates_of

segments = st.sampled_from(
    ["a", "b", "turn", "{x}", "{y}", "{n:int}", "{f:float}", "v{n:int}", "{x}.json", "a.b", "(c)+"]
)
templates = st.lists(segments, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
values = {"x": "kim", "y": "Ünal 7", "n": "42", "f": "3.5"}


def filled(template: str) -> str:
    return re.sub(r"{(\w)(?::\w+)?}", lambda match: values[match[1]], template)


async def answer(_request: Request) -> Response:
    return Response("ok")


async def other_asgi(scope: Scope, receive: Receive, send: Send) -> None: ...


async def socket(_websocket: WebSocket) -> None: ...


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/health", "/health"),
        ("/users/me", "/users/me"),
        ("/users/kim", "/users/{name}"),
        ("/users/kim/turns", "/users/{name}/turns"),
        ("/users/me/turns", "/users/{name}/turns"),
        ("/orders/17", "/orders/{id:int}"),
        ("/orders/latest", "/orders/{name}"),
        ("/files/a/b/c.txt", "/files/{rest:path}"),
        ("/files", "/files/{rest:path}"),
        ("/files/", "/files/{rest:path}"),
        ("/reports/may.json", "/reports/{name}.json"),
        ("/reports/may.xml", OTHER_ENDPOINT),
        ("/reports/.json", OTHER_ENDPOINT),
        ("/prices/1.25", "/prices/{price:float}"),
        ("/prices/1.2.5", OTHER_ENDPOINT),
        (f"/items/{uuid.UUID(int=7)}", "/items/{id:uuid}"),
        ("/items/7", OTHER_ENDPOINT),
        ("/days/2025-10-18", "/days/{day:date}"),
        ("/", OTHER_ENDPOINT),
        ("", OTHER_ENDPOINT),
        ("*", OTHER_ENDPOINT),
        ("/users", OTHER_ENDPOINT),
        ("/users//turns", OTHER_ENDPOINT),
        ("/health/x", OTHER_ENDPOINT),
        ("/HEALTH", OTHER_ENDPOINT),
        ("/health\n", OTHER_ENDPOINT),
    ],
)
def test_a_path_finds_its_template(path: str, template: str) -> None:
    table = EndpointTable(
        [
            *("/users/{name}", "/users/me", "/users/{name}/turns", "/health", "/orders/{name}", "/orders/{id:int}"),
            *("/files/{rest:path}", "/reports/{name}.json", "/prices/{price:float}", "/items/{id:uuid}"),
            "/days/{day:date}",
        ]
    )
    assert table.match(path) == template


def test_the_root_is_a_template_like_any_other() -> None:
    assert EndpointTable(["/"]).match("/") == EndpointTable(["/"]).match("") == "/"


def test_a_table_without_templates_knows_no_path() -> None:
    assert EndpointTable([]).match("/a") == OTHER_ENDPOINT


def test_a_dead_end_behind_a_literal_is_undone() -> None:
    table = EndpointTable(["/a/{x}/c", "/a/b/d"])
    assert table.match("/a/b/c") == "/a/{x}/c"


def test_the_first_of_two_templates_for_the_same_paths_stands_for_both() -> None:
    table = EndpointTable(["/a/{x}", "/a/{y}", "/a/{x}/"])
    assert table.templates == ("/a/{x}",)
    assert table.match("/a/1") == "/a/{x}"


def test_a_template_that_does_not_begin_with_a_slash_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'a/b' must begin with"):
        EndpointTable(["/ok", "a/b"])


@given(st.lists(templates, min_size=1, max_size=8), st.data())
def test_a_path_made_from_a_template_finds_a_template_that_starlette_would_match_too(
    given_templates: list[str], data: st.DataObject
) -> None:
    path = filled(data.draw(st.sampled_from(given_templates)))
    found = EndpointTable(given_templates).match(path)
    assert compile_path(re.sub(r"{\w", lambda match: f"{match[0]}{match.start()}", found))[0].match(path)


@given(st.lists(templates, max_size=8), st.lists(st.text(max_size=8), max_size=5).map("/".join))
def test_a_path_matches_exactly_when_a_regular_expression_per_template_does(given: list[str], rest: str) -> None:
    path = f"/{rest}".rstrip("/")
    patterns = [compile_path(re.sub(r"{\w", lambda match: f"{match[0]}{match.start()}", name))[0] for name in given]
    expected = any(pattern.fullmatch(path) for pattern in patterns)
    assume("\n" not in path)
    assert (EndpointTable(given).match(path) != OTHER_ENDPOINT) == expected


@given(st.lists(templates | st.just("/f/{p:path}"), max_size=8), templates.map(filled) | st.text().map("/f/".__add__))
def test_a_trailing_slash_is_ignored(given_templates: list[str], path: str) -> None:
    path = canonical(path)
    table = EndpointTable(given_templates)
    assert table.match(path) == table.match(path + "/")


@given(st.lists(templates, min_size=1, max_size=8))
def test_the_order_of_templates_matters_only_between_equal_shapes(given_templates: list[str]) -> None:
    distinct = list({re.sub(r"{\w", "{", template): template for template in given_templates}.values())
    forwards, backwards = EndpointTable(distinct), EndpointTable(reversed(distinct))
    assert all(forwards.match(filled(name)) == backwards.match(filled(name)) for name in distinct)


@given(st.lists(templates, max_size=8), st.text())
def test_any_path_gets_a_known_template_or_the_common_one(given_templates: list[str], path: str) -> None:
    table = EndpointTable(given_templates)
    assert table.match(path) in {*table.templates, OTHER_ENDPOINT}


def test_ten_thousand_real_requests_end_in_few_endpoints(shared_data: Path) -> None:
    lines = (shared_data / "traffic" / "apache_semicomplete_10k.csv").read_text(encoding="utf-8").splitlines()
    column = lines[0].split(",").index("path")
    paths = [line.split(",")[column] for line in lines[1:]]
    table = EndpointTable(
        ["/", "/blog/tags/{tag}", "/blog/{slug:path}", "/{file}.ico", "/images/{name}", "/{rest:path}"]
    )
    found = {table.match(path) for path in paths}
    assert {"/blog/tags/{tag}", "/images/{name}", "/{file}.ico"} <= found <= {*table.templates, OTHER_ENDPOINT}


def test_the_templates_of_a_starlette_application_include_mounts_hosts_and_websockets() -> None:
    app = Starlette(
        routes=[
            Route("/a/{id:int}", answer),
            WebSocketRoute("/live", socket),
            Mount("/sub", routes=[Route("/", answer), Mount("/{tenant}", routes=[Route("/b/", answer)])]),
            Mount("/static", app=other_asgi),
            Mount("/wrapped", app=GZipMiddleware(Router([Route("/c", answer)]))),
            Host("api.example.org", app=Router([Route("/d", answer)])),
        ]
    )
    assert templates_of(app) == (
        *("/a/{id:int}", "/live", "/sub", "/sub/{tenant}/b", "/static/{path:path}", "/wrapped/c"),
        "/d",
    )


def test_the_templates_of_a_fastapi_application_include_its_routers_and_sub_applications() -> None:
    inner, router, below = APIRouter(), APIRouter(prefix="/conversations"), FastAPI(openapi_url=None)
    inner.add_api_route("/turn", lambda: "")
    router.add_api_route("/{session_id}", lambda: "")
    router.include_router(inner, prefix="/{session_id}")
    below.add_api_route("/ping", lambda: "")
    app = FastAPI(openapi_url=None)
    app.include_router(router, prefix="/api/v2")
    app.mount("/below", below)
    assert set(templates_of(app)) == {
        "/api/v2/conversations/{session_id}",
        "/api/v2/conversations/{session_id}/turn",
        "/below/ping",
    }


def test_middleware_around_an_application_is_looked_through() -> None:
    assert templates_of(GZipMiddleware(GZipMiddleware(Starlette(routes=[Route("/a", answer)])))) == ("/a",)


def test_an_application_that_lists_no_routes_has_no_templates() -> None:
    assert templates_of(other_asgi) == ()


def test_the_templates_of_an_application_make_a_table_that_finds_its_paths() -> None:
    app = Starlette(routes=[Mount("/v2", routes=[Route("/users/{name}", answer)]), Mount("/static", app=other_asgi)])
    table = EndpointTable(templates_of(app))
    assert table.match("/v2/users/kim/") == "/v2/users/{name}"
    assert table.match("/static/css/site.css") == "/static/{path:path}"
