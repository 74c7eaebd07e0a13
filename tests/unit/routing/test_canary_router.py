"""Laws of the assignment: sticky, monotone, fair, explained, and the same everywhere."""

import json
import math
import os
import subprocess
import sys
import threading
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus import Assignment, CanaryRouter, DeploymentVersion, EndpointRule, Reason, Split
from serinus.deployment import OTHER_ENDPOINT
from serinus.routing.canary_router import point_of, threshold_of
from serinus.routing.split import EVERY_ENDPOINT

LEGACY, CANARY = DeploymentVersion
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "routing.json").read_text(encoding="utf-8"))
POINTS = 2**32

any_text = st.text(st.characters(codec=None), min_size=1)  # lone surrogates too
percentages = st.floats(0, 100)


def routed(split: Split, subject: str | None, endpoint: str = "/a") -> Assignment:
    return CanaryRouter(split).route(subject, endpoint)


def share(percentage: float, salt: str = "serinus") -> Split:
    return Split(enabled=True, percentage=percentage, salt=salt)


def subject_of(vector: dict[str, object]) -> str:
    if "subject" in vector:
        return str(vector["subject"])
    text, times = vector["repeat"]  # type: ignore[misc]  # JSON
    return str(text * times)


@pytest.mark.parametrize("vector", VECTORS["subjects"], ids=lambda vector: vector["md5"][:8])
def test_a_golden_subject_keeps_its_point_bucket_and_slot(vector: dict[str, int]) -> None:
    subject, salt = subject_of(vector), str(vector["salt"])
    router = CanaryRouter(share(50, salt))
    explanation = router.explain(subject, "/a")
    version = CANARY if vector["point"] < POINTS // 2 else LEGACY
    assert (explanation.point, explanation.bucket) == (vector["point"], vector["bucket"])
    assert router.route(subject, "/a") == Assignment(version, Reason.BUCKET, vector["slot"])


@pytest.mark.parametrize("vector", VECTORS["thresholds"], ids=lambda vector: f"{vector['percentage']}%")
def test_a_golden_percentage_keeps_its_threshold(vector: dict[str, float]) -> None:
    assert threshold_of(vector["percentage"]) == vector["threshold"]


@given(st.integers(0, 1_000_000))
def test_the_threshold_of_a_share_with_four_decimals_is_exact(ten_thousandths: int) -> None:
    assert threshold_of(ten_thousandths / 10_000) == math.ceil(Fraction(ten_thousandths, 1_000_000) * POINTS)


@given(any_text, st.integers(-2, 2))
def test_a_subject_is_the_canarys_exactly_below_the_threshold(subject: str, offset: int) -> None:
    point = point_of("serinus", subject)
    percentage = min(max((point + offset) / POINTS * 100, 0), 100)
    assert (routed(share(percentage), subject).version is CANARY) == (point < threshold_of(percentage))


@given(any_text, percentages, percentages)
def test_raising_the_share_moves_nobody_back(subject: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if routed(share(low), subject).version is CANARY:
        assert routed(share(high), subject).version is CANARY


@given(any_text)
def test_nobody_is_routed_to_the_canary_at_0_and_everybody_at_100_percent(subject: str) -> None:
    assert routed(share(0), subject).version is LEGACY
    assert routed(share(100), subject).version is CANARY


@given(any_text, percentages)
def test_the_bucket_decides_by_subject_alone_whatever_the_endpoint(subject: str, percentage: float) -> None:
    router = CanaryRouter(share(percentage))
    assert router.route(subject, "/a") == router.route(subject, "/b") == router.route(subject, OTHER_ENDPOINT)


def test_another_process_with_another_hash_seed_answers_the_same() -> None:
    program = (
        "import json, sys; from serinus import CanaryRouter, Split;"
        "router = CanaryRouter(Split(enabled=True, percentage=37.5, salt='s'));"
        "print(json.dumps([router.route(subject, '/a').version for subject in json.load(sys.stdin)]))"
    )
    subjects = [f"user-{number}" for number in range(300)] + [subject_of(vector) for vector in VECTORS["subjects"]]
    here = [routed(share(37.5, "s"), subject).version for subject in subjects]
    for seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(subjects),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(there.stdout) == here


def test_an_interpreter_without_its_own_md5_answers_the_same() -> None:
    program = (
        "import sys; sys.modules['_md5'] = None; from serinus.routing import canary_router;"
        "print(canary_router.point_of('serinus', 'user-1'), canary_router.md5)"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    point, md5 = there.stdout.split(maxsplit=1)
    assert int(point) == point_of("serinus", "user-1")
    assert "openssl" in md5


@pytest.mark.parametrize("percentage", [0.1, 5, 50, 99.9])
def test_the_share_of_100_000_subjects_is_within_four_standard_deviations(percentage: float) -> None:
    route, count = CanaryRouter(share(percentage)).route, 100_000
    canaries = sum(route(f"user-{number}", "/a").version is CANARY for number in range(count))
    expected = percentage / 100
    assert abs(canaries - count * expected) < 4 * math.sqrt(count * expected * (1 - expected))


def test_two_salts_assign_independently() -> None:
    one, other, count = CanaryRouter(share(30, "one")).route, CanaryRouter(share(30, "other")).route, 50_000
    both = Counter(
        (one(subject, "/a").version, other(subject, "/a").version)
        for subject in (f"user-{number}" for number in range(count))
    )
    assert abs(both[CANARY, CANARY] - count * 0.09) < 4 * math.sqrt(count * 0.09 * 0.91)


def test_slots_are_evenly_filled_in_both_versions() -> None:
    route = CanaryRouter(share(50)).route
    filled = Counter(route(f"user-{number}", "/a") for number in range(64_000))
    assert len(filled) == 2 * 64
    assert all(abs(number - 500) < 5 * math.sqrt(500) for number in filled.values())


def test_real_clients_are_split_by_the_share(shared_data: Path) -> None:
    lines = (shared_data / "traffic" / "apache_semicomplete_10k.csv").read_text(encoding="utf-8").splitlines()
    column = lines[0].split(",").index("client")
    clients = {line.split(",")[column] for line in lines[1:]}
    canaries = sum(routed(share(25), client).version is CANARY for client in clients)
    assert abs(canaries - len(clients) / 4) < 4 * math.sqrt(len(clients) * 3 / 16)


@pytest.mark.parametrize("subject", [None, ""])
def test_without_a_subject_legacy_answers(subject: str | None) -> None:
    assert routed(share(100), subject) == Assignment(LEGACY, Reason.NO_SUBJECT)


@given(any_text)
def test_a_pinned_subject_goes_where_its_pin_says_and_is_not_compared(subject: str) -> None:
    for percentage, version in ((0, CANARY), (100, LEGACY)):
        split = Split(enabled=True, percentage=percentage, pins={subject: version})
        assert routed(split, subject) == Assignment(version, Reason.PINNED)


def test_a_pin_moves_nobody_else() -> None:
    split = Split(enabled=True, percentage=100, pins={"tester": LEGACY})
    assert routed(split, "somebody").reason is Reason.BUCKET


def test_a_disabled_split_sends_everybody_to_legacy_pins_included() -> None:
    split = Split(enabled=False, percentage=100, pins={"tester": CANARY})
    assert routed(split, "tester") == routed(split, "user") == Assignment(LEGACY, Reason.DISABLED)


def test_an_endpoint_that_is_off_is_legacys_pins_included() -> None:
    split = Split(enabled=True, percentage=100, endpoints=(EndpointRule("/a", enabled=False),), pins={"tester": CANARY})
    assert routed(split, "tester", "/a") == routed(split, "user", "/a") == Assignment(LEGACY, Reason.ENDPOINT_OFF)
    assert routed(split, "user", "/b").version is CANARY


@given(any_text, percentages, percentages)
def test_an_endpoints_cap_is_the_smaller_of_both_shares(subject: str, percentage: float, cap: float) -> None:
    capped = Split(enabled=True, percentage=percentage, endpoints=(EndpointRule("/a", max_percentage=cap),))
    assert routed(capped, subject, "/a") == routed(share(min(percentage, cap)), subject, "/a")
    assert routed(capped, subject, "/b") == routed(share(percentage), subject, "/b")


def test_the_rule_for_every_endpoint_stands_where_no_other_does() -> None:
    rules = (EndpointRule(EVERY_ENDPOINT, enabled=False), EndpointRule("/a"))
    split = Split(enabled=True, percentage=100, endpoints=rules)
    assert routed(split, "user", "/a").version is CANARY
    assert routed(split, "user", "/b").reason is Reason.ENDPOINT_OFF
    assert routed(split, "user", OTHER_ENDPOINT).reason is Reason.ENDPOINT_OFF


def test_paths_outside_every_template_can_be_switched_off_by_their_name() -> None:
    split = Split(enabled=True, percentage=100, endpoints=(EndpointRule(OTHER_ENDPOINT, enabled=False),))
    assert routed(split, "user", OTHER_ENDPOINT).reason is Reason.ENDPOINT_OFF


def test_a_rule_means_the_same_with_and_without_a_trailing_slash() -> None:
    split = Split(enabled=True, percentage=100, endpoints=(EndpointRule("/a/", enabled=False),))
    assert routed(split, "user", "/a").reason is Reason.ENDPOINT_OFF


def test_a_router_starts_with_legacy_only_and_the_customers_default_share_is_five_percent() -> None:
    assert CanaryRouter().route("user", "/a") == Assignment(LEGACY, Reason.DISABLED)
    assert CanaryRouter.CANARY_TRAFFIC_PERCENTAGE == 5


def test_adopting_a_split_is_in_force_for_the_next_request() -> None:
    router = CanaryRouter(share(100))
    assert router.route("user", "/a").version is CANARY
    router.adopt(Split(revision=7))
    assert router.route("user", "/a").version is LEGACY
    assert router.split.revision == 7


def test_a_request_beside_an_adoption_sees_one_split_whole() -> None:
    everybody = Split(enabled=True, percentage=100, salt="one", endpoints=(EndpointRule("/off", enabled=False),))
    nobody = Split(enabled=True, percentage=0, salt="two", endpoints=(EndpointRule("/a", enabled=False),))
    router = CanaryRouter(everybody)
    allowed = {routed(split, "user") for split in (everybody, nobody)}
    seen: set[Assignment] = set()

    def watch() -> None:
        for _ in range(20_000):
            seen.add(router.route("user", "/a"))

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    while any(watcher.is_alive() for watcher in watchers):
        router.adopt(nobody)
        router.adopt(everybody)
    assert seen <= allowed


@given(st.none() | any_text, percentages, st.sampled_from(["/a", "/b", "/off"]), st.booleans())
def test_an_explanation_agrees_with_the_route_it_explains(
    subject: str | None, percentage: float, endpoint: str, enabled: bool
) -> None:
    rules = (EndpointRule("/off", enabled=False), EndpointRule("/b", max_percentage=1))
    router = CanaryRouter(Split(revision=3, enabled=enabled, percentage=percentage, endpoints=rules))
    explanation = router.explain(subject, endpoint)
    assert explanation.assignment == router.route(subject, endpoint)
    assert explanation.split_revision == 3
    assert explanation.threshold == threshold_of(explanation.percentage)
    if explanation.assignment.reason is Reason.BUCKET:
        assert explanation.point is not None
        assert (explanation.assignment.version is CANARY) == (explanation.point < explanation.threshold)


def test_an_explanation_names_the_rule_in_force_and_the_bucket_that_did_not_decide() -> None:
    rule = EndpointRule("/a", enabled=False)
    explanation = CanaryRouter(Split(enabled=True, percentage=50, endpoints=(rule,))).explain("user-1", "/a")
    assert (explanation.rule, explanation.percentage, explanation.bucket) == (rule, 0, 4_334)
