"""Both APIs answer whatever comes as their OpenAPI documents say: no 5xx, nothing that is not documented.

schemathesis makes inputs that fit the document and inputs that do not; the same ones in every run. The services run in
processes of their own: Hypothesis watches the randomness of this one.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from served import Serving

pytestmark = pytest.mark.slow

ADMIN = "the-admin-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {ADMIN}"}
ENDLESS = "/admin/canary/events/stream"
EXAMPLES = 6
JUDGED = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance"),
    *("unsupported_method", "allow_header_conformance"),
)
LIMITS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
Statuses = dict[str, set[int]]


class Api:
    """`known` are parameters of paths for which there is something."""

    def __init__(self, url: str, document: str, headers: Mapping[str, str] | None = None) -> None:
        import schemathesis  # takes a second, also of those who only collect this file
        from schemathesis.checks import CHECKS, load_all_checks

        load_all_checks()
        self.checks = [CHECKS.get_one(name) for name in JUDGED]
        self.headers = dict(headers or {})
        self.client = httpx2.Client(base_url=url, headers=self.headers, timeout=30)
        self.session = requests.Session()
        self.modes = tuple(schemathesis.GenerationMode)
        self.schema = schemathesis.openapi.from_url(url.rstrip("/") + document)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.client.close()

    def until_answered(self, path: str) -> None:
        ends_at = time.monotonic() + 30
        while self.client.get(path).status_code != 200:
            assert time.monotonic() < ends_at, path
            time.sleep(0.1)

    def try_out(self, *methods: str, known: Mapping[str, str] | None = None) -> Statuses:
        """Every operation by one of these methods, or those on what is `known`; the statuses that it answered with."""
        found: Statuses = defaultdict(set)
        for operation in (result.ok() for result in self.schema.get_all_operations()):
            is_wanted = known is None or any(f"{{{name}}}" in operation.path for name in known)
            if operation.method.upper() in methods and operation.path != ENDLESS and is_wanted:
                for mode in self.modes:
                    self._try_out(operation, mode, known or {}, found[operation.label])
        return found

    def _try_out(self, operation: Any, mode: Any, known: Mapping[str, str], found: set[int]) -> None:
        @LIMITS
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            case.path_parameters = {**(case.path_parameters or {}), **known}
            response = case.call(headers=self.headers, session=self.session)
            found.add(response.status_code)
            case.validate_response(response, checks=self.checks)

        with suppress(Unsatisfiable):  # there is nothing that one could do wrong
            one()


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Api]:
    with (
        Serving(tmp_path, SERINUS_ADMIN_TOKEN=ADMIN) as client,
        Api(str(client.base_url), "/admin/canary/openapi.json", BEARER) as api,
    ):
        yield api


@pytest.fixture
def mentor(tmp_path: Path) -> Iterator[Api]:
    with Serving(tmp_path, "mentor.main:app") as client, Api(str(client.base_url), "/openapi.json") as api:
        yield api


def test_the_admin_api_answers_as_it_is_documented_whatever_is_read(admin: Api) -> None:
    assert admin.client.post("/admin/canary/rollout/start", json={"plan": "demo"}).status_code == 201
    for user in range(50):
        assert admin.client.get(f"/items/{user % 7}", headers={"x-user-id": str(user)}).status_code == 200
    admin.until_answered("/admin/canary/analysis")
    found = admin.try_out("GET")
    assert len(found) >= 12
    assert not [label for label, statuses in found.items() if 200 not in statuses]


def test_the_admin_api_answers_as_it_is_documented_whatever_is_ordered(admin: Api) -> None:
    found = admin.try_out("POST", "DELETE", "PUT", "PATCH")
    assert len(found) >= 12
    assert {status for statuses in found.values() for status in statuses} >= {200, 201, 404, 409, 422}


def test_mentor_answers_as_it_is_documented_whatever_comes(mentor: Api) -> None:
    started = mentor.client.post("/api/v2/conversations/start", json={"user_id": "ada", "persona_id": "Lua"})
    known = {"session_id": started.json()["session_id"]}
    methods = ("GET", "POST", "DELETE")
    found, with_known = mentor.try_out(*methods), mentor.try_out(*methods, known=known)
    assert len(found) >= 12
    turns = "POST /api/v2/conversations/{session_id}/turn"
    assert (404 in found[turns], 200 in with_known[turns]) == (True, True)
