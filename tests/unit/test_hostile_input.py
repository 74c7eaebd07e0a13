"""Whatever comes in from outside is read, or refused by the error that is meant for it; nothing else leaves."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import reduce
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from serinus.asgi import Source, Subject, subject
from serinus.asgi.protocol import Scope
from serinus.cli.access_log import AccessLog, Naming
from serinus.control.kept_split import read_kept
from serinus.deployment import DeploymentVersion
from serinus.errors import InvalidInput, Unreadable
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.snapshot import Cell, Outcome, merge
from serinus.plans import load_shipped, shipped_text
from serinus.rollout.plan import Plan
from serinus.rollout.plan_file import parse_plan, plan_from_mapping
from serinus.rollout.plan_mapping import plan_to_mapping
from serinus.rollout.replay import Replay, windows
from serinus.rollout.state import AgentStatus
from serinus.routing.canary_router import CanaryRouter
from serinus.routing.split import Split
from serinus.storage.cells import pack, unpack
from serinus.storage.codec import dump
from serinus.storage.database import Database
from serinus.storage.splits import StoredSplit
from serinus.storage.store import Store
from serinus.storage.tables import agents

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)  # lone surrogates and NUL too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
PIECES = ANY_TEXT | st.sampled_from(["[", "]", "{", "}", '"', "\\", "=", ",", "\r\n", "\0", "1e999", "NaN", "-0", "٣"])
Cut = tuple[float, float, str]
CUTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.1), PIECES), min_size=1, max_size=4)


def spoilt(text: str, cuts: list[Cut]) -> str:
    """`text` with something else in the place of some of its parts."""

    def cut(whole: str, where: Cut) -> str:
        start, length, piece = where
        begin = int(start * len(whole))
        return whole[:begin] + piece + whole[begin + int(length * len(whole)) :]

    return reduce(cut, cuts, text)


def replaced(value: Any, path: list[float], by: Any) -> Any:
    """`value` with `by` somewhere inside it: every number of `path` chooses one of the items, as a share."""
    if not path or not isinstance(value, dict | list) or not value:
        return by
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    chosen = keys[min(int(path[0] * len(keys)), len(keys) - 1)]
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[chosen] = replaced(copy[chosen], path[1:], by)
    return copy


# Plans


def reads_back(plan: Plan) -> None:
    assert plan_from_mapping(plan_to_mapping(plan)) == plan


@pytest.mark.parametrize("name", ["phase4", "demo"])
@given(cuts=CUTS)
def test_a_spoilt_plan_is_a_plan_or_names_its_problems(name: str, cuts: list[Cut]) -> None:
    with suppress(InvalidInput):
        reads_back(parse_plan(spoilt(shipped_text(name), cuts)))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), JSON)
@example([0.0], "\ud800")
def test_a_plan_with_anything_in_any_place_is_a_plan_or_names_its_problems(path: list[float], by: Any) -> None:
    with suppress(InvalidInput):
        reads_back(plan_from_mapping(replaced(plan_to_mapping(load_shipped("phase4")), path, by)))


# Subjects

BYTES = st.binary(max_size=60) | ANY_TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))
SOURCES = {
    "header": subject.header("x-user-id"),
    "cookie": subject.cookie("user"),
    "query": subject.query("user"),
    "json": subject.json_field("user.id"),
}


def read(found_in: Subject, scope: Scope, body: bytes) -> list[str | None]:
    def one(source: Source) -> str | None:
        found = source.read(scope, body)
        assert found is None or isinstance(found, str)
        return found

    return [one(source) for source in found_in.sources]


@given(st.sampled_from(sorted(SOURCES)), BYTES, BYTES, BYTES, BYTES)
def test_any_bytes_name_somebody_or_nobody_and_always_the_same_one(
    name: str, header: bytes, cookie: bytes, query: bytes, body: bytes
) -> None:
    headers = [(b"x-user-id", header), (b"cookie", b"user=" + cookie)]
    scope = {"type": "http", "headers": headers, "query_string": b"user=" + query}
    first, again = read(SOURCES[name], scope, body), read(SOURCES[name], scope, body)
    assert first == again
    router = CanaryRouter(Split(enabled=True, percentage=50))
    for who in first:
        assert router.route(who, "/a") == router.route(who, "/a") == router.explain(who, "/a").assignment


@given(JSON, st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff", b" " * 1000]))
def test_any_json_names_somebody_or_nobody(value: Any, before: bytes) -> None:
    for body in ({"user": {"id": value}}, {"user": value}, value):
        found = read(SOURCES["json"], {"headers": []}, before + json.dumps(body).encode())
        for who in found:
            CanaryRouter(Split(enabled=True, percentage=50)).route(who, "/a")


@given(ANY_TEXT)
@example("Zoë")
@example("각")
def test_texts_that_only_look_alike_are_two_subjects(who: str) -> None:
    composed, decomposed = normalize("NFC", who), normalize("NFD", who)
    assume(composed != decomposed)
    router = CanaryRouter(Split(enabled=True, percentage=50))
    assert router.explain(composed, "/a").point != router.explain(decomposed, "/a").point


# Access logs

LINES = {
    "csv": "1700000000,canary,200,0.2,user-1,/a?b=c",
    "jsonl": '{"timestamp": 1.7e9, "version": "canary", "status": 200, "latency": 0.2, "subject": "u", "path": "/a"}',
    "combined": '10.0.0.1 - kim [14/Nov/2023:22:13:20 +0000] "GET /a?b=c HTTP/1.1" 200 12 "-" "agent" 0.2 canary',
}


@pytest.mark.parametrize("form", LINES)
@given(spoilings=st.lists(CUTS, max_size=6))
@settings(max_examples=25)
def test_every_line_of_a_spoilt_log_is_a_request_or_counted_as_unusable(form: str, spoilings: list[list[Cut]]) -> None:
    lines = [LINES[form], *(spoilt(LINES[form], cuts).replace("\n", " ") for cuts in spoilings)]
    head = ["timestamp,version,status,latency,subject,path"] if form == "csv" else []
    log = AccessLog([*head, *lines], form, Naming())
    requests = sorted(log, key=lambda request: request.at)
    assert (log.read, len(requests) >= 1) == (len(requests) + log.unusable, True)
    replay = Replay(load_shipped("demo"), requests[0].at)
    for number, window in enumerate(windows(requests)):
        replay.see(window)
        if number == 3:
            break


def test_a_user_whose_name_is_no_text_is_a_user_of_a_log_too() -> None:
    line = LINES["jsonl"].replace('"u"', r'"\ud800"')
    requests = list(AccessLog([line], "jsonl", Naming()))
    assert [request.subject for request in requests] == ["\ud800"]
    assert [window.requests for window in windows(requests)] == [1]


# What is stored


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Every damaged row is logged."""
    logger = logging.getLogger("serinus.storage")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


counted = st.lists(
    st.tuples(
        st.sampled_from(DeploymentVersion),
        ANY_TEXT,
        st.sampled_from(Outcome),
        st.floats(0, 200),
        st.integers(0, 700),
        st.none() | st.integers(0, 63),
    ),
    max_size=12,
)


def collected(requests: list[Any]) -> Mapping[Any, Cell]:
    collector = CanaryMetricsCollector()
    for version, endpoint, outcome, seconds, status, slot in requests:
        collector.record(version, endpoint, outcome, seconds, status=status, slot=slot)
    return collector.drain()


@given(counted)
def test_counts_are_stored_and_read_without_any_loss(requests: list[Any]) -> None:
    cells = collected(requests)
    assert unpack(pack(cells), "these") == cells
    assert merge(list(cells.values())).requests == len(requests)


@given(counted, st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4)), min_size=1, max_size=3))
def test_damaged_counts_are_read_whole_or_left_out(requests: list[Any], blows: list[tuple[float, bytes]]) -> None:
    row = pack(cells := collected(requests))
    for where, piece in blows:
        place = int(where * len(row))
        row = row[:place] + piece + row[place + 1 :]
    assert unpack(row, "these") in ({}, cells)


def stored(story: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        database = Database("sqlite+aiosqlite://")
        try:
            store = Store(database)
            await store.prepare()
            await story(store)
        finally:
            await database.close()

    asyncio.run(run())


def test_an_agents_row_whatever_stands_in_it_is_an_agent_that_is_there() -> None:
    whole = dump(AgentStatus("a", heard_at=1.0, split_revision=3))

    async def story(store: Store) -> None:
        async def put(bodies: list[str]) -> None:
            async with store.database.write() as connection:
                await connection.execute(agents.delete())
                rows = [{"agent": f"a{n}", "heard_at": 1.0, "body": body} for n, body in enumerate(bodies)]
                await connection.execute(insert(agents), rows)
            assert len(await store.fleet(0.0)) == len(bodies)

        await put([whole, "", "[]", "{}", "null", "[" * 100_000, '{"heard_at": {}}', whole.replace("3", "1e999")])
        await put(damaged)

    damaged: list[str] = []

    @given(CUTS)
    @settings(max_examples=80, database=None)
    def make(cuts: list[Cut]) -> None:
        damaged.append(spoilt(whole, cuts).encode("utf-8", "replace").decode())

    make()
    stored(story)


@given(CUTS)
def test_a_spoilt_kept_split_is_a_split_or_unreadable(cuts: list[Cut]) -> None:
    whole = dump(StoredSplit(Split(enabled=True, percentage=62.5), settled=True))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kept.json"
        path.write_bytes(spoilt(whole, cuts).encode("utf-8", "surrogatepass"))
        with suppress(Unreadable):
            kept = read_kept(path)
            assert kept is None or 0 <= kept.split.percentage <= 100
