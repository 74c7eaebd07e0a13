"""With MENTOR_AUTH on, a caller is who a token or a gateway says, and sees their own user's data alone."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import jwt
import pytest
from click.testing import CliRunner
from pydantic import SecretStr, ValidationError

from mentor.__main__ import main
from mentor.callers import issue_token, signature
from mentor.settings import MentorSettings
from mentor_service import Clock, Service, engines_at
from serinus import DeploymentVersion

SECRET = "s" * 32
Headers = dict[str, str]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Iterator[Service]:
    engines = engines_at(tmp_path, clock, auth=True, auth_secret=SecretStr(SECRET))
    with Service.of(engines, DeploymentVersion.CANARY) as service:
        yield service


def bearer(user_id: str, clock: Clock, secret: str = SECRET) -> Headers:
    return {"Authorization": f"Bearer {issue_token(user_id, secret, expires_at=clock() + 60)}"}


def signed(user_id: str, clock: Clock, secret: str = SECRET) -> Headers:
    return {"X-Mentor-User": quote(user_id), "X-Mentor-Signature": signature(user_id, secret, now=clock())}


def calls_about(user_id: str, session_id: str) -> list[tuple[str, str, object]]:
    """Every call of the API that concerns one user."""
    conversation = f"/api/v2/conversations/{session_id}"
    return [
        ("POST", "/api/v2/recommend/personalized", {"user_id": user_id, "query": "hello"}),
        ("POST", "/api/v2/recommend/compare", {"user_id": user_id, "query": "hello"}),
        ("POST", "/api/v2/recommend/feedback", {"user_id": user_id, "recommendation_id": "r", "rating": 1}),
        ("GET", f"/api/v2/recommend/history?user_id={user_id}", None),
        ("POST", "/api/v2/conversations/start", {"user_id": user_id, "persona_id": "Lua"}),
        ("GET", f"/api/v2/conversations?user_id={user_id}", None),
        ("POST", f"{conversation}/turn", {"user_message": "hello"}),
        ("GET", conversation, None),
        ("POST", f"{conversation}/close", None),
        ("GET", f"/api/v2/users/{user_id}/export", None),
        ("DELETE", conversation, None),
        ("DELETE", f"/api/v2/users/{user_id}", None),
    ]


def begun(service: Service, headers: Headers, user_id: str) -> str:
    body = {"user_id": user_id, "persona_id": "Lua"}
    return str(service.send("POST", "/api/v2/conversations/start", headers, body).json()["session_id"])


@pytest.mark.parametrize("sign_in", [bearer, signed])
def test_a_caller_may_make_every_call_for_themselves(service: Service, clock: Clock, sign_in: type) -> None:
    headers = sign_in("ada", clock)
    for method, path, body in calls_about("ada", begun(service, headers, "ada")):
        status = service.send(method, path, headers, body).status_code
        assert status in ({404} if "feedback" in path else {200, 204}), path


def test_answers_are_kept_by_no_cache(service: Service, clock: Clock) -> None:
    headers = signed("ada", clock)
    for who in (headers, {}):
        for method, path, body in calls_about("ada", begun(service, headers, "ada")):
            answer = service.send(method, path, who, body)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_nobody_makes_any_call_for_another_or_learns_whether_a_conversation_is_there(
    service: Service, clock: Clock
) -> None:
    ada, bob = bearer("ada", clock), bearer("bob", clock)
    session = begun(service, ada, "ada")
    for method, path, body in calls_about("ada", session):
        foreign = service.send(method, path, bob, body)
        assert foreign.status_code in {403, 404}, path
        assert foreign.headers["content-type"] == "application/problem+json"
        if session in path:
            unknown = service.send(method, path.replace(session, "no-such"), bob, body)
            assert (unknown.status_code, unknown.json()) == (foreign.status_code, foreign.json())
    assert service.send("GET", f"/api/v2/conversations/{session}", ada).json()["turn_count"] == 0


def test_the_calls_are_all_that_there_are(service: Service) -> None:
    paths = service.get("/openapi.json").json()["paths"]
    offered = sum(len(methods) for path, methods in paths.items() if path.startswith("/api/v2"))
    assert offered == len(calls_about("ada", "s")) + 1  # and the health check, which concerns nobody


def test_who_does_not_say_who_they_are_is_told_how(service: Service) -> None:
    for method, path, body in calls_about("ada", "some-session"):
        answer = service.send(method, path, {}, body)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["type"] == "urn:mentor:problem:unauthenticated"
    assert "bearer token" in answer.json()["detail"]


def test_health_and_readiness_ask_nobody(service: Service) -> None:
    for path in ("/health", "/ready", "/api/v2/phase4/health"):
        assert service.get(path).status_code == 200


def test_forged_expired_and_odd_credentials_are_refused(service: Service, clock: Clock) -> None:
    old = {**signed("ada", clock)}
    expired = bearer("ada", clock)
    unsigned = jwt.encode({"sub": "ada", "exp": clock() + 60}, "", algorithm="none")
    endless = jwt.encode({"sub": "ada"}, SECRET, algorithm="HS256")
    odd = jwt.encode({"sub": "ada", "exp": "soon"}, SECRET, algorithm="HS256")
    forged: list[Headers] = [
        bearer("ada", clock, secret="x" * 32),
        signed("ada", clock, secret="x" * 32),
        {**signed("bob", clock), "X-Mentor-User": "ada"},
        {"X-Mentor-User": "ada"},
        {"X-Mentor-User": "ada", "X-Mentor-Signature": "t=1,v1=" + "0" * 64},
        *({"Authorization": f"Bearer {token}"} for token in (unsigned, endless, odd, "", "a.b.c", "é".encode().hex())),
        {"Authorization": "Basic YWRhOmFkYQ=="},
    ]
    for headers in forged:
        assert service.send("GET", "/api/v2/users/ada/export", headers).status_code == 401, headers
    clock.advance(301)
    for headers in (old, expired):
        answer = service.send("GET", "/api/v2/users/ada/export", headers)
        assert answer.status_code == 401
        assert SECRET not in answer.text


def test_a_gateway_can_sign_a_user_whose_name_is_not_ascii(service: Service, clock: Clock) -> None:
    answer = service.send("GET", "/api/v2/users/지은/export", signed("지은", clock))
    assert answer.json()["user_id"] == "지은"


def test_each_caller_has_a_rate_of_their_own_that_fills_up_again(tmp_path: Path, clock: Clock) -> None:
    engines = engines_at(tmp_path, clock, auth=True, auth_secret=SecretStr(SECRET), rate_per_minute=3)
    with Service.of(engines, DeploymentVersion.CANARY) as service:

        def asked(user_id: str) -> int:
            path = f"/api/v2/recommend/history?user_id={user_id}"
            return service.send("GET", path, bearer(user_id, clock)).status_code

        assert [asked("ada") for _ in range(4)] == [200, 200, 200, 429]
        assert asked("bob") == 200
        refused = service.send("GET", "/api/v2/recommend/history?user_id=ada", bearer("ada", clock))
        assert refused.headers["retry-after"] == "20"
        assert refused.json()["type"] == "urn:mentor:problem:too-many-requests"
        clock.advance(20)
        assert [asked("ada") for _ in range(2)] == [200, 429]


def test_without_authentication_the_rate_is_of_the_host(tmp_path: Path, clock: Clock) -> None:
    with Service.of(engines_at(tmp_path, clock, rate_per_minute=2), DeploymentVersion.LEGACY) as service:
        statuses = [service.get("/api/v2/recommend/history", user_id=user).status_code for user in ("a", "b", "c")]
        assert statuses == [200, 200, 429]


def test_a_short_secret_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="MENTOR_AUTH_SECRET of at least 32 characters"):
        MentorSettings(auth=True, auth_secret=SecretStr("short"))


def test_the_command_issues_a_token_that_lets_its_user_in(service: Service) -> None:
    result = CliRunner().invoke(main, ["token", "--user", "ada"], env={"MENTOR_AUTH_SECRET": SECRET})
    headers = {"Authorization": f"Bearer {result.stdout.strip()}"}
    assert service.send("GET", "/api/v2/users/ada/export", headers).status_code == 200
    assert service.send("GET", "/api/v2/users/bob/export", headers).status_code == 403


def test_without_a_secret_the_command_says_what_to_do() -> None:
    result = CliRunner().invoke(main, ["token", "--user", "ada"], env={"MENTOR_AUTH_SECRET": ""})
    assert result.exit_code == 1
    assert "set MENTOR_AUTH_SECRET" in result.output
