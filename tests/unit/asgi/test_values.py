"""`serinus.record_value`: what is recorded inside a request counts for the version that answers it."""

import asyncio

import pytest

from serinus import Canary, DeploymentVersion, Options, Split, record_value, subject
from serinus.asgi.protocol import Receive, Scope, Send
from serinus.metrics.canary_metrics import MAX_VALUES
from serinus.metrics.snapshot import Cell, merge

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY


class Shop:
    """Records `rating` in a task that it starts, then answers or fails."""

    def __init__(self, rating: float, status: int = 200) -> None:
        self.rating = rating
        self.status = status
        self.counted: list[bool] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.counted.append(await asyncio.create_task(self._record()))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _record(self) -> bool:
        return await asyncio.to_thread(record_value, "rating", self.rating)


async def ask(canary: Canary, user: str, path: str = "/buy") -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None: ...

    headers = [(b"x-user-id", user.encode())]
    await canary(
        {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}, receive, send
    )


def served(legacy: Shop, canary: Shop, percentage: float, paths: tuple[str, ...] = ("/buy",)) -> dict[str, Cell]:
    """What a hundred users leave behind, by version."""
    app = Canary(legacy, canary, subject=subject.header("x-user-id"), options=Options(endpoints=("/buy",)))
    app.adopt(Split(revision=1, enabled=True, percentage=percentage))

    async def story() -> None:
        for number in range(100):
            for path in paths:
                await ask(app, f"user-{number}", path)

    asyncio.run(story())
    cells = app.collector.drain()
    return {
        version: merge(cell for key, cell in cells.items() if key.version is version and key.endpoint == "/buy")
        for version in (LEGACY, CANARY)
    }


def test_a_value_counts_for_the_version_that_serves_the_request() -> None:
    cells = served(Shop(1.0), Shop(-1.0), percentage=30)
    assert (cells[LEGACY].values["rating"].mean, cells[CANARY].values["rating"].mean) == (1.0, -1.0)
    assert cells[CANARY].values["rating"].count == cells[CANARY].requests > 0
    assert cells[LEGACY].values["rating"].count == cells[LEGACY].requests > 0


def test_legacy_in_the_place_of_a_failed_canary_counts_nothing() -> None:
    legacy, canary = Shop(1.0), Shop(-1.0, status=500)
    cells = served(legacy, canary, percentage=100)
    in_place, failures = legacy.counted.count(False), len(canary.counted)
    assert in_place == failures > 0  # the breaker sends the others to LEGACY from the beginning
    assert cells[CANARY].values["rating"].count == failures
    assert cells[LEGACY].values["rating"].count == legacy.counted.count(True) == 100 - failures


def test_paths_that_take_no_part_and_calls_outside_a_request_count_nothing() -> None:
    legacy = Shop(1.0)
    cells = served(legacy, Shop(-1.0), percentage=0, paths=("/health",))
    assert legacy.counted == [False] * 100
    assert cells[LEGACY].values == {}
    assert record_value("rating", 1.0) is False


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e13])
def test_what_is_no_number_counts_nothing(value: float) -> None:
    assert served(Shop(value), Shop(value), percentage=50)[LEGACY].values == {}


@pytest.mark.parametrize("name", ["", "Rating", "1st", "a" * 65, "a b", "별점"])
def test_a_name_that_cannot_be_used_is_the_programs_mistake(name: str) -> None:
    with pytest.raises(ValueError, match="a measure's name"):
        record_value(name, 1.0)


def test_a_process_keeps_fifty_names() -> None:
    app = Canary(Shop(1), Shop(1), subject=subject.header("x-user-id"))
    kept = [
        app.collector.record_value(LEGACY, "/", f"m{number}", 1.0, compared=True) for number in range(MAX_VALUES + 2)
    ]
    assert kept == [True] * MAX_VALUES + [False, False]
    assert app.collector.record_value(LEGACY, "/", "m0", 1.0, compared=True)
