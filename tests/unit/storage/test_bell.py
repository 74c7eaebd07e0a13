import asyncio

from serinus.storage.bell import Bell


def test_a_ring_wakes_everybody_who_waits() -> None:
    async def story() -> None:
        bell = Bell()
        waiting = [asyncio.create_task(bell.wait(0, 60.0)) for _ in range(3)]
        await asyncio.wait(waiting, timeout=0)
        bell.ring()
        assert await asyncio.gather(*waiting) == [1, 1, 1]

    asyncio.run(story())


def test_a_ring_before_the_wait_is_not_missed() -> None:
    async def story() -> None:
        bell = Bell()
        bell.ring()
        bell.ring()
        assert await bell.wait(0, 60.0) == 2

    asyncio.run(story())


def test_without_a_ring_the_wait_ends_by_itself() -> None:
    async def story() -> None:
        bell = Bell()
        assert await bell.wait(0, 0.0) == 0

    asyncio.run(story())


def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    async def story() -> None:
        bell = Bell()
        waiting = asyncio.create_task(bell.wait(0, 60.0))
        await asyncio.wait([waiting], timeout=0)
        waiting.cancel()
        await asyncio.wait([waiting])
        bell.ring()
        assert bell.rings == 1

    asyncio.run(story())
