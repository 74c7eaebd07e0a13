"""Where the subject is found, seen from outside: pinned users get the canary, everybody else legacy."""

import asyncio
import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.asgi import Canary, Options, Subject, subject
from serinus.asgi.protocol import Receive, Scope, Send
from serinus.asgi.subject import Reader
from serinus.errors import InvalidInput
from serinus.routing.split import Split
from unit.asgi.wire import CANARY, EVERYBODY, Wire, answering, call, echo, get, http_scope, post

ADA = "ada"


def only_for(who: str, source: Subject | Reader, options: Options | None = None) -> Canary:
    app = Canary(legacy=echo, canary=echo, subject=source, options=options)
    app.adopt(Split(enabled=True, percentage=0, pins=MappingProxyType({who: CANARY})))
    return app


@pytest.mark.parametrize(
    ("source", "path", "headers"),
    [
        (subject.header("X-User-Id"), "/thing", [(b"x-user-id", b"ada")]),
        (subject.cookie("user"), "/thing", [(b"cookie", b'theme=dark; user="ada"; x=1')]),
        (subject.cookie("user"), "/thing", [(b"cookie", b"a=1"), (b"cookie", b"user=ada")]),
        (subject.query("user"), "/thing?page=2&user=%61da&user=bob", []),
    ],
)
def test_header_cookie_and_query_name_the_user(source: Subject, path: str, headers: list[tuple[bytes, bytes]]) -> None:
    app = only_for(ADA, source)
    assert get(app, path, headers).version == "canary"
    others = [(name, value.replace(b"ada", b"eve")) for name, value in headers]
    assert get(app, path.replace("%61da", "eve"), others).version == "legacy"


@pytest.mark.parametrize("source", [subject.header("x-user-id"), subject.cookie("user"), subject.query("user")])
def test_a_request_that_names_nobody_goes_to_legacy_uncompared(source: Subject) -> None:
    app = Canary(legacy=answering(), canary=answering(), subject=source)
    app.adopt(EVERYBODY)
    assert get(app, headers=[]).version == "legacy"
    assert [key.compared for key in app.collector.drain()] == [False]


@pytest.mark.parametrize(
    ("field", "body", "who"),
    [
        ("user_id", {"user_id": "ada"}, "ada"),
        ("user.id", {"user": {"id": "ada"}}, "ada"),
        ("user_id", {"user_id": 42}, "42"),
        ("user_id", {"user_id": "유리"}, "유리"),
    ],
)
def test_a_json_field_names_the_user_and_the_body_arrives_as_it_was_sent(field: str, body: object, who: str) -> None:
    sent = json.dumps(body).encode()
    wire = post(only_for(who, subject.json_field(field)), sent[:5], sent[5:])
    assert wire.version == "canary"
    assert wire.body == sent
    assert wire.headers[b"x-pieces"] == repr([5, len(sent) - 5]).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"user_id": true}',
        b'{"user_id": null}',
        b'["user_id"]',
        b"NaN",
    ],
)
def test_a_body_that_names_nobody_goes_to_legacy_as_it_was_sent(body: bytes) -> None:
    app = Canary(
        legacy=echo, canary=echo, subject=subject.json_field("user_id"), options=Options(body_limit_bytes=200_000)
    )
    app.adopt(EVERYBODY)
    wire = post(app, body)
    assert (wire.version, wire.body) == ("legacy", body)


@given(st.binary(max_size=60), st.data())
def test_any_body_in_any_pieces_is_replayed_intact(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    app = only_for(ADA, subject.json_field("user_id"), Options(body_limit_bytes=30))
    wire = post(app, *pieces)
    assert wire.body == body
    assert wire.headers[b"x-pieces"] == repr([len(piece) for piece in pieces]).encode()


def test_a_body_over_the_limit_has_no_subject_and_arrives_whole() -> None:
    body = json.dumps({"user_id": ADA, "padding": "x" * 100}).encode()
    wire = post(only_for(ADA, subject.json_field("user_id"), Options(body_limit_bytes=50)), body[:60], body[60:])
    assert (wire.version, wire.body) == ("legacy", body)


def test_a_client_that_leaves_in_its_body_is_heard_leaving_by_the_application() -> None:
    heard = []

    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    async def scenario() -> None:
        wire = Wire([{"type": "http.request", "body": b"{", "more_body": True}])
        wire.over.set()
        app = Canary(legacy=listens, canary=listens, subject=subject.json_field("user_id"))
        await call(app, http_scope(method="POST"), wire=wire)

    asyncio.run(scenario())
    assert heard == ["http.request", "http.disconnect"]


@given(
    name=st.sampled_from([b"x-user-id", b"cookie", b"content-length"]),
    value=st.binary(max_size=30),
    query=st.binary(max_size=30),
)
def test_no_bytes_in_a_header_or_query_crash_a_source(name: bytes, value: bytes, query: bytes) -> None:
    scope = {**http_scope(headers=[(name, value)]), "query_string": query}
    sources = subject.first_of(subject.header("x-user-id"), subject.cookie("u"), subject.query("u"))
    for source in (*sources.sources, subject.header("cookie").sources[0]):
        app = Canary(legacy=answering(), canary=answering(), subject=Subject((source,)))
        app.adopt(EVERYBODY)
        assert asyncio.run(call(app, scope)).status == 200


def test_text_that_is_no_utf8_is_somebody_too() -> None:
    assert (
        get(only_for("fran\xe7ois", subject.header("x-user-id")), headers=[(b"x-user-id", b"fran\xe7ois")]).version
        == "canary"
    )


def test_an_async_function_of_the_application_names_the_user() -> None:
    async def owner(scope: Scope, body: bytes | None) -> str | None:
        await asyncio.sleep(0)
        return ADA if scope["path"].endswith("/7") else "bob"

    app = only_for(ADA, owner)
    assert (get(app, "/thing/7").version, get(app, "/thing/8").version) == ("canary", "legacy")


def test_a_function_gets_the_body_only_if_it_says_so() -> None:
    seen: list[bytes | None] = []

    def reads(scope: Scope, body: bytes | None) -> str | None:
        seen.append(body)
        return None

    post(only_for(ADA, subject.function(reads, needs_body=True)), b"he", b"llo")
    post(only_for(ADA, reads), b"hello")
    get(only_for(ADA, subject.function(reads, needs_body=True)))
    assert seen == [b"hello", None, None]


def test_the_first_source_that_knows_decides_and_the_body_is_read_only_in_its_turn() -> None:
    app = only_for(ADA, subject.first_of(subject.header("x-user-id"), subject.json_field("user_id")))
    body = b'{"user_id": "ada"}'
    assert post(app, body).version == "canary"
    assert post(app, body, headers=[(b"x-user-id", b"bob")]).version == "legacy"
    assert post(app, body, headers=[(b"x-user-id", b"")]).version == "canary"


def test_a_function_that_raises_means_legacy_and_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(scope: Scope, body: bytes | None) -> str | None:
        raise LookupError("no such session")

    app = Canary(
        legacy=answering(), canary=answering(), subject=subject.first_of(subject.function(breaks), subject.query("u"))
    )
    app.adopt(EVERYBODY)
    assert [get(app, "/thing?u=ada").version for _ in range(3)] == ["legacy"] * 3
    assert app.subject_failures == 3
    assert [record.message for record in caplog.records if record.exc_info] == [
        "the subject function failed (1 times so far): LEGACY answers"
    ]


def test_a_function_that_gives_no_string_means_legacy_and_is_counted() -> None:
    app = Canary(legacy=answering(), canary=answering(), subject=lambda scope, body: 7)  # type: ignore[arg-type,return-value]  # the mistake under test
    app.adopt(EVERYBODY)
    assert get(app).version == "legacy"
    assert app.subject_failures == 1


def test_a_function_that_takes_too_long_means_legacy() -> None:
    async def sleeps(scope: Scope, body: bytes | None) -> str | None:
        await asyncio.Event().wait()
        return ADA

    app = only_for(ADA, sleeps, Options(subject_seconds=0.01))
    assert get(app).version == "legacy"
    assert app.subject_failures == 1


def test_a_setting_names_the_places_in_their_order() -> None:
    app = only_for(ADA, subject.parse("header:x-user-id, json:user.id"))
    body = b'{"user": {"id": "ada"}}'
    assert post(app, body).version == "canary"
    assert post(app, body, headers=[(b"x-user-id", b"bob")]).version == "legacy"
    assert get(only_for(ADA, subject.parse("query:u")), "/thing?u=ada").version == "canary"
    assert get(only_for(ADA, subject.parse("cookie:s")), headers=[(b"cookie", b"s=ada")]).version == "canary"


@pytest.mark.parametrize("text", ["", "x-user-id", "header:", "body:user", "header:x-user-id,"])
def test_a_setting_that_names_no_place_is_refused_with_what_could_stand_there(text: str) -> None:
    with pytest.raises(InvalidInput, match="write one of header:NAME, cookie:NAME, query:NAME, json:NAME"):
        subject.parse(text)
