"""Assigning a user to a 5 % share: `CanaryRouter` beside bare MD5 and beside the flag SDKs that do the same job.

Every SDK has its flag in memory and sends nothing, which is the best that it can do. Each is asked for users that it
has not just seen, as a web service would ask it.
"""

import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

from serinus import CanaryRouter, Split
from serinus.routing.canary_router import md5, threshold_of
from timing import Goal, compare, report, show

SUBJECTS = [f"user-{number}" for number in range(2_000)]
PREFIX = b"serinus:"
THRESHOLD = threshold_of(5).to_bytes(4, "big")

IsCanary: TypeAlias = Callable[[str], bool]


def bare_md5() -> None:
    for data in HASHED:
        md5(data).digest() < THRESHOLD  # noqa: B015 - the comparison is what is timed


HASHED = [PREFIX + subject.encode() for subject in SUBJECTS]


def point_and_compare() -> None:
    prefix = PREFIX
    for subject in SUBJECTS:
        md5(prefix + subject.encode(), usedforsecurity=False).digest() < THRESHOLD  # noqa: B015


def route() -> None:
    router = CanaryRouter(Split(enabled=True, percentage=CanaryRouter.CANARY_TRAFFIC_PERCENTAGE))
    for subject in SUBJECTS:
        router.route(subject, "/api/v2/recommend/personalized")


@contextmanager
def growthbook(_folder: Path) -> Iterator[IsCanary]:
    from growthbook import GrowthBook

    book = GrowthBook(features={"canary": {"defaultValue": False, "rules": [{"force": True, "coverage": 0.05}]}})

    def is_canary(subject: str) -> bool:
        book.set_attributes({"id": subject})
        return book.is_on("canary")

    yield is_canary
    book.destroy()


@contextmanager
def launchdarkly(folder: Path) -> Iterator[IsCanary]:
    from ldclient import Config, Context, LDClient
    from ldclient.integrations import Files

    rollout = {"variations": [{"variation": 0, "weight": 5_000}, {"variation": 1, "weight": 95_000}]}
    flag = {"key": "canary", "version": 1, "on": True, "salt": "s", "variations": [True, False], "offVariation": 1}
    source = folder / "launchdarkly.json"
    source.write_text(json.dumps({"flags": {"canary": {**flag, "fallthrough": {"rollout": rollout}}}}))
    processor = Files.new_data_source(paths=[str(source)])
    with LDClient(Config("none", update_processor_class=processor, send_events=False)) as client:
        yield lambda subject: client.variation("canary", Context.create(subject), default=False)


@contextmanager
def unleash(folder: Path) -> Iterator[IsCanary]:
    from UnleashClient import UnleashClient
    from UnleashClient.cache import FileCache

    parameters = {"rollout": "5", "stickiness": "userId", "groupId": "canary"}
    strategy = {"name": "flexibleRollout", "parameters": parameters, "constraints": []}
    cache = FileCache("benchmark", directory=str(folder))
    cache.bootstrap_from_dict(
        {"version": 2, "features": [{"name": "canary", "enabled": True, "strategies": [strategy], "variants": []}]}
    )
    quiet = {"disable_metrics": True, "disable_registration": True}
    client = UnleashClient("http://127.0.0.1:1", "benchmark", cache=cache, **quiet)
    client.initialize_client(fetch_toggles=False)
    yield lambda subject: client.is_enabled("canary", {"userId": subject})
    client.destroy()


@contextmanager
def openfeature_flagd(folder: Path) -> Iterator[IsCanary]:
    from openfeature import api
    from openfeature.contrib.provider.flagd import FlagdProvider
    from openfeature.contrib.provider.flagd.config import ResolverType
    from openfeature.evaluation_context import EvaluationContext

    targeting = {"fractional": [{"var": "targetingKey"}, ["on", 5], ["off", 95]]}
    flag = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off", "targeting": targeting}
    source = folder / "flagd.json"
    source.write_text(json.dumps({"flags": {"canary": flag}}))
    api.set_provider_and_wait(FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(source)))
    client = api.get_client()
    yield lambda subject: client.get_boolean_value("canary", False, EvaluationContext(subject))  # noqa: FBT003
    api.shutdown()


@contextmanager
def openfeature_in_memory(_folder: Path) -> Iterator[IsCanary]:
    """The OpenFeature layer alone: its evaluator is our router."""
    from openfeature import api
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.flag_evaluation import FlagResolutionDetails
    from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

    router = CanaryRouter(Split(enabled=True, percentage=5))

    def evaluate(_flag: InMemoryFlag[bool], context: EvaluationContext) -> FlagResolutionDetails[bool]:
        return FlagResolutionDetails(router.route(context.targeting_key, "/").version == "canary")

    flag = InMemoryFlag("off", {"on": True, "off": False}, context_evaluator=evaluate)
    api.set_provider_and_wait(InMemoryProvider({"canary": flag}), "in memory")
    client = api.get_client("in memory")
    yield lambda subject: client.get_boolean_value("canary", False, EvaluationContext(subject))  # noqa: FBT003


PEERS = {
    "growthbook": growthbook,
    "launchdarkly-server-sdk": launchdarkly,
    "UnleashClient": unleash,
    "openfeature-sdk + flagd, in process": openfeature_flagd,
    "openfeature-sdk + in-memory provider": openfeature_in_memory,
}


def assign_all(is_canary: IsCanary) -> Callable[[], object]:
    def contender() -> None:
        for subject in SUBJECTS:
            is_canary(subject)

    return contender


def main() -> int:
    logging.disable(logging.WARNING)
    contenders = {"bare md5 + compare": bare_md5, "point + compare": point_and_compare, "CanaryRouter.route": route}
    peers: dict[str, Callable[[], object]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for name, peer in PEERS.items():
            try:
                is_canary = stack.enter_context(peer(Path(folder)))
            except ModuleNotFoundError as missing:
                print(f"{name}: left out, {missing.name} is not installed")
                continue
            share = sum(map(is_canary, SUBJECTS)) / len(SUBJECTS)
            assert 0.03 < share < 0.07, f"{name} gives the canary {share:.1%}, not 5 %: it does another job"
            peers[name] = assign_all(is_canary)
        measured = compare({**contenders, **peers}, calls=len(SUBJECTS))
    show("One assignment", measured, unit="µs", against="CanaryRouter.route")
    bare, router = measured["bare md5 + compare"], measured["CanaryRouter.route"]
    goals = [
        Goal("point + compare, times bare md5 + compare", measured["point + compare"].ratio(bare), 1.5),
        Goal("route(), times bare md5 + compare", router.ratio(bare), 4),
    ]
    if peers:
        fastest = min(peers, key=lambda name: measured[name].us)
        goals.append(Goal(f"route(), times the fastest peer ({fastest})", router.ratio(measured[fastest]), 0.1))
    return report(goals)


if __name__ == "__main__":
    raise SystemExit(main())
