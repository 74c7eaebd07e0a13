"""Simulated users of mentor for Locust; `loadtests/run.py` starts it with a profile and judges what it measured."""

import os
import random
import tomllib
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

from locust import LoadTestShape, task
from locust.contrib.fasthttp import FastHttpUser

from mentor.demo.traffic import Visitor

PROFILE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "profiles.toml").read_text(encoding="utf-8"))[
    os.environ.get("LOADTEST_PROFILE", "light")
]
UTTERANCES = (files("mentor.demo") / "utterances.txt").read_text(encoding="utf-8").splitlines()
USERS_A_SECOND = 20
NAMES = {
    "recommend": "/api/v2/recommend/personalized",
    "feedback": "/api/v2/recommend/feedback",
    "start": "/api/v2/conversations/start",
    "turn": "/api/v2/conversations/{session_id}/turn",
    "close": "/api/v2/conversations/{session_id}/close",
}
numbers = count()


class MentorUser(FastHttpUser):
    """Asks for recommendations, rates them, and holds conversations, at its own pace."""

    def on_start(self) -> None:
        number = next(numbers)
        self.rng = random.Random(number)
        self.visitor = Visitor(f"load-{number}", self.rng)

    def wait_time(self) -> float:
        return self.rng.expovariate(1 / PROFILE["think_seconds"])

    @task
    def next_request(self) -> None:
        action, path, body = self.visitor.next_request(self.rng.choice(UTTERANCES))
        with self.client.post(path, json=body, name=NAMES[action], catch_response=True) as response:
            if response.status_code == 0:
                response.failure(str(response.error))
            elif not 200 <= response.status_code < 300:
                response.failure(f"answered {response.status_code}")
            elif response.headers.get("x-deployment-version") not in {"legacy", "canary"}:
                response.failure("the answer does not say which version gave it")
            else:
                self.visitor.learn(action, response.json())


class Stages(LoadTestShape):
    """The stages of the profile, one after the other; then the end."""

    def tick(self) -> tuple[int, float] | None:
        elapsed = self.get_run_time()
        for stage in PROFILE["stages"]:
            if elapsed < stage["until_seconds"]:
                return stage["users"], USERS_A_SECOND
        return None
