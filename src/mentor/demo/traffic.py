"""Simulated users of a mentor on this machine: `python -m mentor.demo.traffic --url http://127.0.0.1:8000`."""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from mentor.demo.arrivals import Traffic, best_available
from mentor.personas import PERSONAS

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_AT_ONCE = 8  # more would only queue in a service of one process
_TURNS = 6


class Visitor:
    """One user's memory of the service: the open conversation and the last recommendation."""

    def __init__(self, user_id: str, rng: random.Random) -> None:
        self.user_id = user_id
        self.rng = rng
        self.session_id: str | None = None
        self.turns = 0
        self.recommendation: tuple[str, str] | None = None

    def next_request(self, utterance: str) -> tuple[str, str, dict[str, object]]:
        """Method-like name, path and body of what this user does next."""
        chance = self.rng.random()
        if chance < 0.1 and self.recommendation:
            return "feedback", "/api/v2/recommend/feedback", self._feedback()
        if chance < 0.5:
            body: dict[str, object] = {"user_id": self.user_id, "query": utterance}
            return "recommend", "/api/v2/recommend/personalized", body
        return self._converse(utterance)

    def learn(self, action: str, answer: dict[str, object]) -> None:
        """Remember what the service answered."""
        if action == "start":
            self.session_id, self.turns = str(answer["session_id"]), 0
        elif action == "turn":
            self.turns += 1
        elif action == "close":
            self.session_id = None
        elif action == "recommend" and isinstance(answer["metadata"], dict):
            recommendation_id = str(answer["metadata"]["recommendation_id"])
            self.recommendation = recommendation_id, str(answer["primary_persona"])

    def _converse(self, utterance: str) -> tuple[str, str, dict[str, object]]:
        if self.session_id is None:
            persona = self.rng.choice(sorted(PERSONAS))
            return "start", "/api/v2/conversations/start", {"user_id": self.user_id, "persona_id": persona}
        path = f"/api/v2/conversations/{self.session_id}"
        if self.turns >= _TURNS:
            return "close", f"{path}/close", {}
        return "turn", f"{path}/turn", {"user_message": utterance}

    def _feedback(self) -> dict[str, object]:
        recommendation_id, persona = self.recommendation or ("", "")
        self.recommendation = None
        rating = 1 if self.rng.random() < 0.7 else -1
        return {
            "user_id": self.user_id,
            "recommendation_id": recommendation_id,
            "rating": rating,
            "chosen_persona": persona,
        }


class Driver:
    """Sends `traffic` to the service at `client`'s base URL and counts the answers by status."""

    def __init__(self, client: httpx2.AsyncClient, traffic: Traffic, seed: int) -> None:
        self.client = client
        self.traffic = traffic
        self.rng = random.Random(seed)  # noqa: S311 - a repeatable demonstration, not a secret
        self.utterances = files("mentor.demo").joinpath("utterances.txt").read_text(encoding="utf-8").splitlines()
        self.visitors: dict[str, Visitor] = {}
        self.busy: set[str] = set()
        self.answers: Counter[str] = Counter()

    async def run(self, *, rate: float, seconds: float) -> None:
        """Open loop: requests start when the trace says so, at most `_AT_ONCE` of them at a time."""
        begun = time.monotonic()
        places = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for offset, user in self.traffic.arrivals(rate):
                if offset >= seconds:
                    break
                await asyncio.sleep(max(0.0, begun + offset - time.monotonic()))
                await places.acquire()
                group.create_task(self._visit(user)).add_done_callback(lambda _task: places.release())

    async def _visit(self, user: str) -> None:
        if user in self.busy:  # a person does one thing at a time
            return
        self.busy.add(user)
        visitor = self.visitors.setdefault(user, Visitor(user, self.rng))
        action, path, body = visitor.next_request(self.rng.choice(self.utterances))
        try:
            answer = await self.client.post(path, json=body)
            self.answers[f"{answer.status_code // 100}xx"] += 1
            if answer.is_success:
                visitor.learn(action, answer.json())
        except httpx2.TransportError as error:
            self.answers[type(error).__name__] += 1
        finally:
            self.busy.discard(user)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    traffic = best_available(options.data, options.seed)
    if options.describe:
        print(traffic.source)
        return 0
    if urlsplit(options.url).hostname not in _LOOPBACK:
        print(f"{options.url} is not on this machine; simulated users go to loopback only", file=sys.stderr)
        return 2
    try:
        answers = asyncio.run(_drive(options, traffic))
    except KeyboardInterrupt:
        return 130
    print(f"answers: {dict(answers)}")
    return 0


async def _drive(options: argparse.Namespace, traffic: Traffic) -> Counter[str]:
    limits = httpx2.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE)
    async with httpx2.AsyncClient(base_url=options.url, limits=limits, timeout=10) as client:
        driver = Driver(client, traffic, options.seed)
        await driver.run(rate=options.rate, seconds=options.seconds)
        return driver.answers


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mentor.demo.traffic", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the service listens, on this machine")
    parser.add_argument("--describe", action="store_true", help="say what the traffic is, and send none")
    parser.add_argument("--rate", type=float, default=60.0, help="requests a second, on average (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=240.0, help="for how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of everything left to chance (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/traffic"), help="folder of recorded traffic")
    return parser


if __name__ == "__main__":
    sys.exit(main())
