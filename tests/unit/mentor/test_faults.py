"""Injected faults do what they say, only while they are switched on."""

import asyncio

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from mentor.faults import ErrorFault, Outage, OutageFault
from mentor.recorded_io import RecordedLatency


async def _fine(_request: object) -> PlainTextResponse:
    return PlainTextResponse("fine")


APP = Starlette(routes=[Route("/", _fine)])


def statuses(app: ASGIApp, count: int) -> list[int]:
    async def run() -> list[int]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://t") as client:
            return [(await client.get("/")).status_code for _ in range(count)]

    return asyncio.run(run())


def test_a_fault_that_is_off_changes_nothing() -> None:
    assert statuses(OutageFault(ErrorFault(APP, share=1.0)), 5) == [200] * 5


def test_a_share_of_the_requests_fails_the_same_ones_for_a_seed() -> None:
    faults = [ErrorFault(APP, share=0.3, seed=seed) for seed in (7, 7, 8)]
    for fault in faults:
        fault.active = True
    first, again, other = (statuses(fault, 200) for fault in faults)
    assert first == again != other
    assert 40 <= first.count(500) <= 80


def test_a_fault_ends_when_it_is_switched_off() -> None:
    fault = ErrorFault(APP, share=1.0)
    fault.active = True
    assert statuses(fault, 2) == [500, 500]
    fault.active = False
    assert statuses(fault, 2) == [200, 200]


def test_a_fault_of_one_path_leaves_the_others_alone() -> None:
    fault = ErrorFault(APP, share=1.0, path="/elsewhere")
    fault.active = True
    assert statuses(fault, 3) == [200] * 3


def test_in_an_outage_every_request_raises() -> None:
    fault = OutageFault(APP)
    fault.active = True
    with pytest.raises(Outage):
        statuses(fault, 1)


def test_recorded_latencies_are_awaited_in_order_and_over_again() -> None:
    async def run() -> list[float]:
        loop = asyncio.get_running_loop()
        app = RecordedLatency(APP, [1.0, 40.0])
        took = []
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://t") as client:
            for _ in range(16):
                started = loop.time()
                await client.get("/")
                took.append(loop.time() - started)
        return took

    took = asyncio.run(run())
    assert min(took[1::2]) >= 0.04 > min(took[::2])  # the quickest of eight: a busy machine may hold up any one


def test_a_recording_without_latencies_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RecordedLatency(APP, [])
