"""Bodies are read ahead, kept and played again without a byte or a piece changed."""

import asyncio
import tracemalloc
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from serinus.asgi.body import MOST_PIECES, BodyTape
from serinus.asgi.protocol import Message, Receive
from unit.asgi.wire import Wire, chunks_of

PIECES = st.lists(st.binary(max_size=40), min_size=1, max_size=8)


async def heard(receive: Receive) -> list[Message]:
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


@given(PIECES, st.integers(0, 200))
def test_whatever_was_read_ahead_the_application_hears_every_piece_as_it_came(pieces: list[bytes], limit: int) -> None:
    async def scenario() -> None:
        tape = BodyTape(Wire(chunks_of(*pieces)).receive, limit)
        body = await tape.read()
        assert body == (b"".join(pieces) if sum(map(len, pieces)) <= limit else None)
        assert await heard(tape.play()) == chunks_of(*pieces)

    asyncio.run(scenario())


@given(PIECES, st.integers(0, 8))
def test_a_second_listener_hears_all_of_it_wherever_the_first_one_stopped(
    pieces: list[bytes], heard_before: int
) -> None:
    async def scenario() -> None:
        tape = BodyTape(Wire(chunks_of(*pieces)).receive, 1000)
        first = tape.play()
        for _ in range(min(heard_before, len(pieces))):
            await first()
        assert await heard(tape.play()) == chunks_of(*pieces)

    asyncio.run(scenario())


def test_a_body_beyond_the_limit_is_not_kept() -> None:
    async def scenario() -> None:
        tape = BodyTape(Wire(chunks_of(*[b"x" * 10] * 100)).receive, 25)
        assert len(await heard(tape.play())) == 100
        assert not tape.recording

    asyncio.run(scenario())


def test_the_disconnect_comes_after_the_body() -> None:
    async def scenario() -> None:
        wire = Wire(chunks_of(b"a", b"b"))
        wire.over.set()
        tape = BodyTape(wire.receive, 100)
        await tape.read()
        receive = tape.play()
        types = [(await receive())["type"] for _ in range(3)]
        assert types == ["http.request", "http.request", "http.disconnect"]

    asyncio.run(scenario())


def test_a_client_that_leaves_before_the_end_has_sent_no_body() -> None:
    async def scenario() -> None:
        wire = Wire([{"type": "http.request", "body": b"{", "more_body": True}])
        wire.over.set()
        tape = BodyTape(wire.receive, 100)
        assert await tape.read() is None
        receive = tape.play()
        assert [(await receive())["type"] for _ in range(2)] == ["http.request", "http.disconnect"]

    asyncio.run(scenario())


def test_what_a_listener_still_waits_for_is_kept_for_the_next_one() -> None:
    async def scenario() -> None:
        line: asyncio.Queue[Message] = asyncio.Queue()
        tape = BodyTape(line.get, 2)
        tape.keep_everything()
        waiting = asyncio.create_task(heard(tape.play()))
        await asyncio.sleep(0)
        for message in chunks_of(b"more than", b" two bytes"):
            line.put_nowait(message)
        assert _body(await waiting) == b"more than two bytes"
        assert _body(await heard(tape.play())) == b"more than two bytes"

    asyncio.run(scenario())


def _body(messages: Iterable[Message]) -> bytes:
    return b"".join(message["body"] for message in messages)


def test_a_body_of_very_many_pieces_is_not_kept_for_a_piece_costs_more_than_its_bytes() -> None:
    async def scenario() -> None:
        pieces = [b"x"] * (MOST_PIECES + 10)
        tape = BodyTape(Wire(chunks_of(*pieces)).receive, 65_536)
        assert await tape.read() is None
        assert await heard(tape.play()) == chunks_of(*pieces)

    asyncio.run(scenario())


def test_a_tape_that_is_played_out_keeps_nothing_of_what_it_gave() -> None:
    async def endless() -> Message:
        return {"type": "http.request", "body": bytes(100_000), "more_body": True}

    async def scenario() -> None:
        tape = BodyTape(endless, 65_536)
        tape.keep_everything()
        receive = tape.play_out()
        tracemalloc.start()
        for _ in range(200):
            assert len((await receive())["body"]) == 100_000
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 1_000_000

    asyncio.run(scenario())
