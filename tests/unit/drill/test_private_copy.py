"""The installation in which a drill is held."""

import asyncio
import gc
import sys

import pytest

from serinus.drill.faults import Fault, stand_in
from serinus.drill.private_copy import Applications, private_copy
from serinus.drill.receipt import Drill, DrillScope
from serinus.plans import load_shipped


@pytest.mark.parametrize("steps", [1, 10, 100, 1_000])
def test_a_copy_that_is_stopped_while_it_is_made_leaves_nothing_open(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_open: list[object] = []

    async def make() -> None:
        drill = Drill(Fault.ERRORS, DrillScope.STAGING, load_shipped("phase4"))
        async with private_copy(drill, Applications(stand_in, stand_in), lambda: 0.0):
            await asyncio.Event().wait()

    async def stop_early() -> None:
        making = asyncio.create_task(make())
        for _ in range(steps):
            await asyncio.sleep(0)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making

    monkeypatch.setattr(sys, "unraisablehook", left_open.append)
    asyncio.run(stop_early())
    gc.collect()
    assert left_open == []
