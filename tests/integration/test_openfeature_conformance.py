"""What OpenFeature's suite for providers (appendix F of its specification) asks, capability by capability.

Declared: variants, object, large-integers, numeric-coercion, targeting, standard-reasons, lifecycle, events with
configuration-change and stale. Not declared: disabled-flags (LEGACY's value is given, where the suite wants the
caller's default), unavailable (the split is in the process, there is nothing that could not be reached), caching.
"""

from collections.abc import Callable, Iterator
from itertools import product
from queue import SimpleQueue
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason
from openfeature.provider import ProviderStatus
from starlette.applications import Starlette

from serinus import Canary, DeploymentVersion, Split, subject
from serinus.openfeature import Flag, SerinusProvider

LARGEST_OF_32_BITS, LARGEST_EXACT = 2**31 - 1, 2**53 - 1
SCREEN = {"title": "Start", "columns": 3, "dark": False}
STATIC: dict[str, Any] = {
    "yes": True,
    "no": False,
    "word": "hello",
    "nothing": "",
    "ten": 10,
    "zero": 0,
    "large": LARGEST_OF_32_BITS,
    "huge": LARGEST_EXACT,
    "half": 0.5,
    "ten, written as a fraction": 10.0,
    "screen": SCREEN,
}
VIP = "vip"
FLAGS = {key: Flag(value, value) for key, value in STATIC.items()} | {
    "targeted": Flag("miss", "hit"),
    "changing": Flag("before", "after"),
}
ONLY_THE_VIP = Split(revision=1, enabled=True, percentage=0, pins={VIP: DeploymentVersion.CANARY})

Ask = Callable[[OpenFeatureClient, str], FlagEvaluationDetails[Any]]
ASK: dict[str, tuple[Any, Ask]] = {
    "boolean": (True, lambda client, key: client.get_boolean_details(key, True)),
    "string": ("mine", lambda client, key: client.get_string_details(key, "mine")),
    "integer": (7, lambda client, key: client.get_integer_details(key, 7)),
    "float": (0.25, lambda client, key: client.get_float_details(key, 0.25)),
    "object": ({"mine": 1}, lambda client, key: client.get_object_details(key, {"mine": 1})),
}
"""By type: a default that no flag has, but for the boolean's, and the call."""
KEYS = {
    "boolean": ("no", "yes"),
    "string": ("word", "nothing"),
    "integer": ("ten", "zero", "large", "huge", "ten, written as a fraction"),
    "float": ("half", "ten, written as a fraction", "ten"),
    "object": ("screen",),
}
MISMATCHED = [
    *((key, kind) for key, kind in product(("word", "nothing"), ("boolean", "integer", "float", "object"))),
    *((key, kind) for key, kind in product(("yes", "no"), ("string", "integer", "float", "object"))),
    *((key, kind) for key, kind in product(("ten", "half"), ("boolean", "string", "object"))),
    *(("screen", kind) for kind in ("boolean", "string", "integer", "float")),
    ("half", "integer"),
]


@pytest.fixture
def canary() -> Canary:
    return Canary(Starlette(), Starlette(), subject=subject.header("x-user-id"))


@pytest.fixture
def client(canary: Canary) -> Iterator[OpenFeatureClient]:
    canary.adopt(ONLY_THE_VIP)
    api.set_provider_and_wait(SerinusProvider(canary, FLAGS), "conforming")
    yield api.get_client("conforming")
    api.clear_providers()


def is_normal(found: FlagEvaluationDetails[Any]) -> bool:
    return found.error_code is None and not found.error_message


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in KEYS.items() for key in keys])
def test_a_flag_gives_its_value_exactly_and_in_the_type_that_was_asked_for_falsy_ones_too(
    client: OpenFeatureClient, kind: str, key: str
) -> None:
    default, ask = ASK[kind]
    found = ask(client, key)
    assert found.value == STATIC[key]
    assert type(found.value) is type(default)
    assert (found.variant, found.reason) == ("legacy", Reason.STATIC)
    assert is_normal(found)


@pytest.mark.parametrize(("key", "kind"), MISMATCHED)
def test_another_type_gives_the_callers_default_and_throws_nothing(
    client: OpenFeatureClient, key: str, kind: str
) -> None:
    default, ask = ASK[kind]
    found = ask(client, key)
    assert (found.value, found.reason, found.error_code) == (default, Reason.ERROR, ErrorCode.TYPE_MISMATCH)


@pytest.mark.parametrize("number", [float("inf"), float("nan"), -0.5, 1e-300])
def test_a_number_that_is_no_integer_is_never_narrowed_to_one(canary: Canary, number: float) -> None:
    api.set_provider_and_wait(SerinusProvider(canary, {"odd": Flag(number, number)}), "odd")
    found = api.get_client("odd").get_integer_details("odd", 7)
    api.clear_providers()
    assert (found.value, found.error_code) == (7, ErrorCode.TYPE_MISMATCH)


@pytest.mark.parametrize("kind", ASK)
def test_an_unknown_flag_gives_the_callers_default_and_throws_nothing(client: OpenFeatureClient, kind: str) -> None:
    default, ask = ASK[kind]
    found = ask(client, "missing")
    assert (found.value, found.reason, found.error_code) == (default, Reason.ERROR, ErrorCode.FLAG_NOT_FOUND)


def test_a_context_does_not_disturb_what_it_has_no_part_in(client: OpenFeatureClient) -> None:
    found = client.get_string_details("word", "mine", EvaluationContext("ada", {"plan": "free", "age": 30}))
    assert found.value == "hello"
    assert is_normal(found)


@pytest.mark.parametrize(
    ("context", "value", "reason"),
    [
        (EvaluationContext(VIP), "hit", Reason.TARGETING_MATCH),
        (EvaluationContext("somebody else"), "miss", Reason.SPLIT),
        (EvaluationContext(), "miss", Reason.DEFAULT),
        (None, "miss", Reason.DEFAULT),
    ],
)
def test_the_targeting_key_decides_and_without_a_match_or_a_key_nothing_fails(
    client: OpenFeatureClient, context: EvaluationContext | None, value: str, reason: Reason
) -> None:
    found = client.get_string_details("targeted", "mine", context)
    assert (found.value, found.reason) == (value, reason)
    assert is_normal(found)


def test_the_provider_names_itself(client: OpenFeatureClient) -> None:
    assert client.provider.get_metadata().name


def heard(client: OpenFeatureClient, event: ProviderEvent) -> "SimpleQueue[EventDetails]":
    events: SimpleQueue[EventDetails] = SimpleQueue()
    client.add_handler(event, events.put)
    return events


def test_a_provider_that_is_set_becomes_ready_and_says_so(client: OpenFeatureClient) -> None:
    assert heard(client, ProviderEvent.PROVIDER_READY).get(timeout=30).provider_name == "serinus"
    assert client.get_provider_status() is ProviderStatus.READY


def test_a_change_is_told_with_the_flags_concerned_and_is_in_force(canary: Canary, client: OpenFeatureClient) -> None:
    named = EvaluationContext("ada")
    changes = heard(client, ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    before = client.get_string_value("changing", "unset", named)
    canary.adopt(Split(revision=2, enabled=True, percentage=100))
    assert "changing" in (changes.get(timeout=30).flags_changed or [])
    assert (before, client.get_string_value("changing", "unset", named)) == ("before", "after")


def test_losing_the_controller_makes_the_provider_stale_and_hearing_it_ready(
    canary: Canary, client: OpenFeatureClient
) -> None:
    stale, ready = heard(client, ProviderEvent.PROVIDER_STALE), heard(client, ProviderEvent.PROVIDER_READY)
    ready.get(timeout=30)
    canary.adopt(Split(revision=1, enabled=False, percentage=0))  # as the agent does when it hears of none
    stale.get(timeout=30)
    assert client.get_provider_status() is ProviderStatus.STALE
    canary.adopt(ONLY_THE_VIP)
    ready.get(timeout=30)
    assert client.get_provider_status() is ProviderStatus.READY
