"""What mentor's engines cost: time for a recommendation and a turn, bytes for a user and a session.

Run: `python -m benchmarks.engines.cost`. Over SQLite in a temporary file, through the application, without sockets.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from benchmarks.timing import Goal, report

from mentor.canary.content import shared_head
from mentor.canary.ensemble import EnsembleRecommender
from mentor.canary.population import Learned, learn, nothing_learned
from mentor.dependencies import Engines
from mentor.detection import Hints, detect
from mentor.personas import Persona
from mentor.recommendation import Query
from mentor.settings import MentorSettings
from serinus import DeploymentVersion

CALLS, TURNS = 400, 40
TEXT = "Our team {number} meets Ms. Park on May 3rd, and I worry about the release of the billing service"


def engine_p95_ms() -> float:
    recommender, learned, seconds = EnsembleRecommender(shared_head()), taught(), []
    for number in range(CALLS):
        text = TEXT.format(number=number)
        started = time.perf_counter()
        recommender.recommend(Query(text, detect(text), Hints()), learned)
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.quantile(seconds, 0.95))


def taught() -> Learned:
    """A user who has rated each persona."""
    learned = nothing_learned()
    for number in range(40):
        odds = shared_head().odds(TEXT.format(number=number), Hints())
        learned = learn(learned, odds, persona=list(Persona)[number % 4], reward=float(number % 2))
    return learned


async def p95_ms(call: Callable[[int], Awaitable[object]], calls: int) -> float:
    seconds = []
    for number in range(calls):
        started = time.perf_counter()
        await call(number)
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.quantile(seconds, 0.95))


async def measure(folder: Path) -> list[Goal]:
    engines = Engines(MentorSettings(database_url=f"sqlite+aiosqlite:///{folder / 'mentor.db'}"))
    await engines.prepare()
    recommendations = engines.recommendations(DeploymentVersion.CANARY)
    conversations = engines.conversations(DeploymentVersion.CANARY)
    session = await conversations.start("ada", Persona.NANA, ttl_s=3600, uses_memory=True)
    recommendation = await p95_ms(
        lambda number: recommendations.recommend("ada", TEXT.format(number=number), Hints()), CALLS
    )
    turn = await p95_ms(lambda number: conversations.turn(session.session_id, TEXT.format(number=number), {}), TURNS)
    stored, _ = await engines.session_manager.load(session.session_id, lambda _: TURNS)
    await engines.close()
    memory, taste = len(json.dumps(stored.memory)), taught().taste
    print(f"a session's memory after {TURNS} turns: {memory} bytes of JSON, whatever its length")
    print(f"a user's taste: {len(taste.affinities) + len(taste.cells)} rows of two numbers, at most 24")
    print(f"what everybody taught: {len(json.dumps(taught().population.to_json()))} bytes of JSON, once")
    return [
        Goal("recommendation with the store, p95, ms", recommendation, 5),
        Goal("recommendation in the engine, p95, ms", engine_p95_ms(), 0.5),
        Goal("turn with the store, p95, ms", turn, 10),
    ]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return report(asyncio.run(measure(Path(folder))))


if __name__ == "__main__":
    sys.exit(main())
