"""Every example serves both versions, chooses rightly, and counts each request for the version that answered it."""

import importlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mentor_service import Service

pytestmark = pytest.mark.slow  # every framework, and the seconds until what was counted is shown

EXAMPLES = Path(__file__).parents[2] / "examples"
ELSEWHERE = {"outside_http", "stand_in_model"}  # the latter in tests/e2e/test_mentor_howtos.py
HTTP = sorted({path.stem for path in EXAMPLES.glob("*.py")} - ELSEWHERE)
TOKEN = "0123456789abcdef" * 2
USERS = [f"user-{number}" for number in range(12)]
OLD, BOTH = {"total": 30}, {"total": 30, "each": 10}

Serving = Callable[[str], Service]


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """Serves an example by its name, half of its users on the canary."""
    monkeypatch.setenv("SERINUS_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}")
    monkeypatch.setenv("SERINUS_ADMIN_TOKEN", TOKEN)
    monkeypatch.syspath_prepend(EXAMPLES)
    running: list[Service] = []

    def serve(name: str) -> Service:
        service = Service(importlib.import_module(name).app, {"Authorization": f"Bearer {TOKEN}"})
        running.append(service.__enter__())
        share_among_half(service)
        return service

    yield serve
    for service in running:
        service.__exit__()


def share_among_half(service: Service) -> None:
    body = {"canary_percentage": 50, "enabled": True, "reason": "test"}
    revision = service.post("/admin/canary/config", body).json()["revision"]
    for _ in count():
        agent = service.get("/ready").json()["serinus"]
        if agent["watched"] and agent["split_revision"] >= revision:
            return


def total(service: Service, user: str, quantity: int) -> tuple[str, dict[str, int], bool]:
    headers = {"x-user-id": user, "cookie": f"sessionid={user}; session={user}"}
    answer = service.send("GET", f"/totals/{quantity}", headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-deployment-version"], answer.json(), "x-canary-fallback" in answer.headers


def counted(service: Service, template: str, requests: int) -> dict[str, Any]:
    """Both versions' figures on the endpoint that begins so, once so many requests have been counted."""
    for _ in count():
        endpoints = service.get("/admin/canary/metrics").json()["endpoints"]
        figures: dict[str, Any] = next((cells for name, cells in endpoints.items() if name.startswith(template)), {})
        if figures and sum(figures[version]["request_count"] for version in ("legacy", "canary")) >= requests:
            return figures
    raise AssertionError


@pytest.mark.parametrize("name", HTTP)
def test_an_example_serves_and_counts_both_versions_and_survives_a_bad_canary(serving: Serving, name: str) -> None:
    service = serving(name)
    answers, fell_back = {}, {}
    for user in USERS:  # one after the other, so that no ten failures in a row open the breaker
        answers[user] = total(service, user, 3)
        fell_back[user] = total(service, user, 0)  # CANARY divides by none
    canary = {user for user, (version, _, _) in answers.items() if version == "canary"}
    assert 0 < len(canary) < len(USERS)
    assert all(body == (BOTH if user in canary else OLD) for user, (_, body, _) in answers.items())
    assert all(answer == ("legacy", {"total": 0}, user in canary) for user, answer in fell_back.items())

    figures = counted(service, "/totals/{quantity", 2 * len(USERS))
    assert (figures["canary"]["request_count"], figures["canary"]["error_count"]) == (2 * len(canary), len(canary))
    assert (figures["legacy"]["request_count"], figures["legacy"]["error_count"]) == (24 - 2 * len(canary), 0)


def test_a_job_outside_requests_is_routed_and_counted_like_one(serving: Serving) -> None:
    service = serving("outside_http")
    for user in USERS:
        for quantity in (3, 0):
            assert service.post(f"/orders/{quantity}?user={user}").status_code == 200
    figures = counted(service, "/jobs/invoice", 2 * len(USERS))
    invoices = importlib.import_module("outside_http").invoices
    canary = {made["user"] for made in invoices if "each" in made}
    assert 0 < len(canary) < len(USERS)
    assert (figures["canary"]["request_count"], figures["canary"]["error_count"]) == (2 * len(canary), len(canary))
    assert figures["legacy"]["error_count"] == 0
