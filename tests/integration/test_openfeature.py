"""The provider through OpenFeature's own SDK; what it must do is quoted from the specification by its numbers."""

import asyncio
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import httpx2
import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, FlagEvaluationOptions, FlagValueType, Reason
from openfeature.hook import Hook, HookContext, HookHints
from openfeature.provider import ProviderStatus
from openfeature.track import TrackingEventDetails
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serinus import Canary, DeploymentVersion, EndpointRule, Split, subject
from serinus.errors import InvalidInput
from serinus.metrics.snapshot import merge
from serinus.openfeature import Flag, SerinusProvider

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
FLAGS = {
    "boolean": Flag(legacy=False, canary=True),
    "string": Flag(legacy="bm25", canary="neural"),
    "integer": Flag(legacy=10, canary=20),
    "float": Flag(legacy=0.5, canary=2),
    "object": Flag(legacy={"size": 1}, canary={"size": 2, "models": ["a", "b"]}),
    "capped": Flag(legacy=False, canary=True, endpoint="/search/"),
}
HALF = Split(revision=3, enabled=True, percentage=50, pins={"tester": CANARY, "shy": LEGACY})


async def total(request: Request) -> Response:
    """Says what each flag is, evaluated for whom the query names."""
    named = EvaluationContext(targeting_key=request.query_params.get("key"))
    client = api.get_client("served")
    found = await client.get_string_details_async("string", "none", named)
    client.track("searched")
    client.track("basket", None, TrackingEventDetails(value=7.5))
    if found.value == "neural" and "fail" in request.query_params:
        raise ZeroDivisionError
    return JSONResponse({"value": found.value, "reason": found.reason})


@pytest.fixture
def canary() -> Canary:
    shop = Starlette(routes=[Route("/search", total)])
    return Canary(shop, shop, subject=subject.header("x-user-id"))


@pytest.fixture
def client(canary: Canary) -> Iterator[OpenFeatureClient]:
    api.set_provider_and_wait(SerinusProvider(canary, FLAGS), "served")
    canary.adopt(HALF)
    yield api.get_client("served")
    api.clear_providers()


def user_of(canary: Canary, version: DeploymentVersion) -> str:
    return next(name for name in map(str, range(100)) if canary.router.route(name, "/search").version is version)


def named(user: str) -> EvaluationContext:
    return EvaluationContext(targeting_key=user)


def all_of(client: OpenFeatureClient, context: EvaluationContext) -> dict[str, FlagEvaluationDetails[Any]]:
    """Every flag by the call for its own type, with a default that no version has."""
    return {
        "boolean": client.get_boolean_details("boolean", False, context),
        "string": client.get_string_details("string", "none", context),
        "integer": client.get_integer_details("integer", -1, context),
        "float": client.get_float_details("float", -1.0, context),
        "object": client.get_object_details("object", {}, context),
    }


@pytest.mark.parametrize("version", [LEGACY, CANARY])
def test_2_2_3_a_value_of_each_type_is_resolved_by_the_bucket_of_the_targeting_key(
    canary: Canary, client: OpenFeatureClient, version: DeploymentVersion
) -> None:
    for key, found in all_of(client, named(user_of(canary, version))).items():
        assert (found.flag_key, found.value) == (key, FLAGS[key].value(version))
        assert type(found.value) is type(FLAGS[key].legacy)
        assert (found.variant, found.reason, found.error_code) == (version.value, Reason.SPLIT, None)
        assert found.flag_metadata == {"split_revision": 3}


def test_half_of_all_users_get_the_canarys_value_and_keep_it(canary: Canary, client: OpenFeatureClient) -> None:
    def everybody() -> list[bool]:
        return [client.get_boolean_value("boolean", False, named(f"user-{number}")) for number in range(2_000)]

    first = everybody()
    assert 900 < sum(first) < 1_100
    assert everybody() == first


@pytest.mark.parametrize(("user", "version"), [("tester", CANARY), ("shy", LEGACY)])
def test_a_pinned_user_is_a_targeting_match(client: OpenFeatureClient, user: str, version: DeploymentVersion) -> None:
    found = client.get_string_details("string", "none", named(user))
    assert (found.value, found.reason) == (FLAGS["string"].value(version), Reason.TARGETING_MATCH)


@pytest.mark.parametrize(
    "split",
    [
        Split(revision=4, enabled=False, percentage=100),
        Split(revision=4, enabled=True, percentage=100, endpoints=(EndpointRule("*", enabled=False),)),
    ],
)
def test_while_the_canary_is_off_legacys_value_is_given_as_disabled_with_or_without_a_key(
    canary: Canary, client: OpenFeatureClient, split: Split
) -> None:
    canary.adopt(split)
    for context in (named("tester"), EvaluationContext()):
        for key, found in all_of(client, context).items():
            assert (found.value, found.reason) == (FLAGS[key].legacy, Reason.DISABLED)


def test_a_flag_of_an_endpoint_obeys_the_endpoints_rule(canary: Canary, client: OpenFeatureClient) -> None:
    canary.adopt(
        Split(revision=4, enabled=True, percentage=100, endpoints=(EndpointRule("/search", max_percentage=0),))
    )
    assert client.get_boolean_value("boolean", False, named("ada")) is True
    assert client.get_boolean_value("capped", True, named("ada")) is False


@pytest.mark.parametrize("context", [None, EvaluationContext(), EvaluationContext("", {"email": "a@b.c"})])
def test_who_is_not_named_gets_what_legacy_has(
    canary: Canary, client: OpenFeatureClient, context: EvaluationContext | None
) -> None:
    canary.adopt(Split(revision=4, enabled=True, percentage=100))
    found = client.get_string_details("string", "mine", context)
    assert (found.value, found.variant, found.reason, found.error_code) == ("bm25", "legacy", Reason.DEFAULT, None)


def test_1_4_7_a_flag_that_does_not_exist_gives_the_default_and_names_those_that_do(client: OpenFeatureClient) -> None:
    found = client.get_string_details("strnig", "mine", named("ada"))
    assert (found.value, found.reason, found.error_code) == ("mine", Reason.ERROR, ErrorCode.FLAG_NOT_FOUND)
    assert "strnig" in str(found.error_message)
    assert "string" in str(found.error_message).split("there are")[1]


def test_2_2_8_a_value_of_another_type_than_asked_for_gives_the_default(client: OpenFeatureClient) -> None:
    context = named("ada")
    mismatches = [
        *(client.get_boolean_details(key, True, context) for key in ("string", "integer", "object")),
        *(client.get_string_details(key, "mine", context) for key in ("boolean", "float", "object")),
        *(client.get_integer_details(key, 7, context) for key in ("boolean", "string", "object")),
        *(client.get_float_details(key, 7.0, context) for key in ("boolean", "string", "object")),
        *(client.get_object_details(key, {"mine": 1}, context) for key in ("boolean", "string", "integer")),
    ]
    assert {found.error_code for found in mismatches} == {ErrorCode.TYPE_MISMATCH}
    assert {found.reason for found in mismatches} == {Reason.ERROR}
    assert [found.value for found in mismatches] == [*[True] * 3, *["mine"] * 3, *[7] * 6, *[{"mine": 1}] * 3]


@pytest.mark.parametrize(("legacy", "canary_value"), [(True, "yes"), (1, True), ("a", {}), (None, None)])
def test_a_flag_of_two_kinds_of_values_is_refused(
    canary: Canary, legacy: FlagValueType, canary_value: FlagValueType
) -> None:
    with pytest.raises(InvalidInput, match=r"flags\.price.*two numbers"):
        SerinusProvider(canary, {"price": Flag(legacy, canary_value)})


def test_2_1_1_the_provider_has_a_name(client: OpenFeatureClient) -> None:
    assert client.provider.get_metadata().name == "serinus"


class Heard:
    """Every event of the provider, in its order."""

    def __init__(self, client: OpenFeatureClient) -> None:
        self.events: SimpleQueue[tuple[ProviderEvent, EventDetails]] = SimpleQueue()
        for event in ProviderEvent:
            client.add_handler(event, lambda details, event=event: self.events.put((event, details)))

    def next(self) -> tuple[ProviderEvent, list[str] | None]:
        event, details = self.events.get(timeout=30)
        assert details.provider_name == "serinus"
        return event, details.flags_changed


def test_5_3_every_split_is_told_and_its_going_stale_and_coming_back(canary: Canary, client: OpenFeatureClient) -> None:
    heard = Heard(client)
    assert heard.next() == (ProviderEvent.PROVIDER_READY, None)  # told to who comes late, too

    canary.adopt(Split(revision=4, enabled=True, percentage=10))
    assert heard.next() == (ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, list(FLAGS))
    canary.adopt(Split(revision=4, enabled=False, percentage=10))  # as the agent does when no controller is heard
    assert heard.next()[0] is ProviderEvent.PROVIDER_STALE
    assert client.get_provider_status() is ProviderStatus.STALE
    assert client.get_boolean_details("boolean", True, named("ada")).reason == Reason.DISABLED
    canary.adopt(Split(revision=4, enabled=True, percentage=10))
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY
    assert client.get_provider_status() is ProviderStatus.READY


def test_2_5_a_provider_that_was_shut_down_hears_of_no_split(canary: Canary) -> None:
    provider = SerinusProvider(canary, FLAGS)
    api.set_provider_and_wait(provider, "served")
    heard = Heard(api.get_client("served"))
    assert heard.next()[0] is ProviderEvent.PROVIDER_READY
    provider.shutdown()
    canary.adopt(HALF)
    api.clear_providers()
    assert heard.events.empty()


class Noting(Hook):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def before(self, hook_context: HookContext, hints: HookHints) -> EvaluationContext | None:
        self.notes.append(f"before {hook_context.flag_key} of {hook_context.provider_metadata.name}")
        return EvaluationContext("tester") if hints.get("as") == "tester" else None

    def after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.notes.append(f"after {details.variant}")

    def error(self, hook_context: HookContext, exception: Exception, hints: HookHints) -> None:
        self.notes.append(f"error {type(exception).__name__}")

    def finally_after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
        self.notes.append(f"finally {details.reason}")


def test_4_3_hooks_see_an_evaluation_in_its_order_and_may_name_the_user(client: OpenFeatureClient) -> None:
    hook = Noting()
    options = FlagEvaluationOptions(hooks=[hook], hook_hints={"as": "tester"})
    assert client.get_string_value("string", "none", EvaluationContext(), options) == "neural"
    assert hook.notes == ["before string of serinus", "after canary", "finally TARGETING_MATCH"]


def test_4_4_hooks_hear_of_the_error(client: OpenFeatureClient) -> None:
    hook = Noting()
    client.get_string_value("strnig", "none", EvaluationContext(), FlagEvaluationOptions(hooks=[hook]))
    assert hook.notes == ["before strnig of serinus", "error FlagNotFoundError", "finally ERROR"]


def ask(canary: Canary, path: str, user: str | None) -> httpx2.Response:
    async def run() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=canary, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.get(path, headers={"x-user-id": user} if user else {})

    return asyncio.run(run())


@pytest.mark.parametrize("version", [LEGACY, CANARY])
def test_in_a_request_a_flag_follows_the_version_that_answers_it(
    canary: Canary, client: OpenFeatureClient, version: DeploymentVersion
) -> None:
    user = user_of(canary, version)
    for path in ("/search", f"/search?key={user}"):
        answer = ask(canary, path, user)
        assert answer.headers["x-deployment-version"] == version.value
        assert answer.json() == {"value": FLAGS["string"].value(version), "reason": "SPLIT"}


def test_in_a_request_another_users_flag_is_that_users(canary: Canary, client: OpenFeatureClient) -> None:
    mine, others = user_of(canary, LEGACY), user_of(canary, CANARY)
    assert ask(canary, f"/search?key={others}", mine).json() == {"value": "neural", "reason": "SPLIT"}


def test_a_request_that_names_nobody_gets_legacys_value_as_the_default(
    canary: Canary, client: OpenFeatureClient
) -> None:
    assert ask(canary, "/search", None).json() == {"value": "bm25", "reason": "DEFAULT"}


def test_a_request_that_legacy_answers_after_the_canary_failed_gets_legacys_value(
    canary: Canary, client: OpenFeatureClient
) -> None:
    user = user_of(canary, CANARY)
    answer = ask(canary, f"/search?fail=1&key={user}", user)
    assert answer.headers["x-canary-fallback"] == "1"
    assert answer.json() == {"value": "bm25", "reason": "DEFAULT"}


def test_what_is_tracked_counts_as_a_value_of_the_version_that_answers(
    canary: Canary, client: OpenFeatureClient
) -> None:
    ask(canary, "/search", user_of(canary, CANARY))
    cells = canary.collector.drain()
    values = merge(cell for key, cell in cells.items() if key.version is CANARY).values
    assert {name: (moments.count, moments.mean) for name, moments in values.items()} == {
        "searched": (1, 1.0),
        "basket": (1, 7.5),
    }
    assert not merge(cell for key, cell in cells.items() if key.version is LEGACY).values
