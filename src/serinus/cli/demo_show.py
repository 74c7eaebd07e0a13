"""What the demo shows and does while it runs: reads the status, gives the approvals, breaks the canary if asked to."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx2

from serinus.cli.client import Client
from serinus.cli.demo_picture import ENDED, Picture
from serinus.cli.session import Failure
from serinus.messages import catalogue

OPERATOR = "demo operator"
LIMIT_SECONDS = 300.0
POLL_SECONDS = 0.5
FAULT_AFTER_REQUESTS = 200

Answer = Mapping[str, Any]


class Show:
    """One rollout of the service at `url`, steered and shown through its admin API; `fault` breaks the canary.

    Everything runs by itself but the approvals, which are a person's: here "demo operator" gives them, with an
    approver's token of its own, once nothing else is missing.
    """

    def __init__(self, picture: Picture, url: str, admin_token: str, *, fault: str | None, language: str) -> None:
        self._picture = picture
        self._url = url
        self._token = admin_token
        self._fault = fault
        self._broken = False
        self._language = language
        self._texts: Mapping[str, str] = catalogue(language)["demo"]
        self._client = Client(url, admin_token, language)
        self._operator = Client(url, self._operator_token(), language)
        self._last_event = 0

    def introduce(self, *, traffic: str, rate: float) -> None:
        """Say where to look, what is real and what is simulated; `traffic` is recorded or self_made."""
        self._say("console", url=self._url, token=self._token)
        stage = httpx2.get(f"{self._url}/demo").raise_for_status().json()
        self._say("service", url=self._url)
        self._say(f"users_{traffic}", rate=rate)
        self._say(f"waits_{stage['recordings']}", count=stage["transactions_per_request"])

    def run(self) -> str:
        """Start the rollout and follow it to its end; the phase that it ends in."""
        self._operator.post("/rollout/start", {"plan": "demo", "reason": self._texts["reason_start"]})
        ends_at = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < ends_at:
            status = self._client.get("/status")
            self._tell_events()
            self._picture.draw(status)
            if status["rollout"]["phase"] in ENDED:
                return str(status["rollout"]["phase"])
            self._act(status["rollout"], status["metrics"])
            time.sleep(POLL_SECONDS)  # until the next look
        raise Failure(self._texts["time_up"].format(seconds=LIMIT_SECONDS))

    def conclude(self, phase: str) -> None:
        """Say how it ended."""
        self._say(conclusion(phase, broken=self._broken))

    def stay(self) -> None:
        """Until Ctrl-C; whoever looks needs the service that they look at."""
        self._say("stay")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()

    def _act(self, rollout: Answer, metrics: Answer) -> None:
        if self._fault and metrics["canary"]["request_count"] >= FAULT_AFTER_REQUESTS:
            httpx2.post(f"{self._url}/demo/fault", json={"fault": self._fault}).raise_for_status()
            self._say("fault", fault=self._texts[f"fault_{self._fault}"])
            self._broken, self._fault = True, None
        for gate in rollout["waiting_for"]:
            report_at, reason = rollout["report"]["at"], self._texts["reason_approve"]
            body = {"gate": gate, "step": rollout["step"], "report_at": report_at, "reason": reason}
            self._operator.post("/rollout/approve", body)

    def _tell_events(self) -> None:
        """Every event once."""
        page = self._client.get("/events", after=self._last_event, limit=1_000)
        self._last_event = page["next_after"]
        for event in page["events"]:
            self._picture.tell(event)

    def _operator_token(self) -> str:
        return str(self._client.post("/tokens", {"name": OPERATOR, "role": "approver"})["token"])

    def _say(self, text: str, **values: Any) -> None:
        self._picture.say(self._texts[text].format(**values))


def conclusion(phase: str, *, broken: bool) -> str:
    """The text that tells a demonstration's end; on a busy machine a `broken` canary can be promoted."""
    if phase != "succeeded":
        return "rolled_back"
    return "unharmed" if broken else "promoted"
