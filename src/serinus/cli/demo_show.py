"""What the demo shows and does while it runs: reads the status, gives the approvals, breaks the canary if asked to."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import httpx2
from rich.console import Console
from rich.live import Live
from rich.text import Text

from serinus.cli.client import Client
from serinus.cli.session import Failure
from serinus.cli.view import status_line, status_view
from serinus.messages import catalogue

OPERATOR = "demo operator"
LIMIT_SECONDS = 300.0
POLL_SECONDS = 0.5
FAULT_AFTER_REQUESTS = 200
ENDED = frozenset({"succeeded", "rolled_back"})

Answer = Mapping[str, Any]


class Show:
    """One rollout of the service at `url`, steered and shown through its admin API; `fault` breaks the canary.

    Everything runs by itself but the approvals, which are a person's: here "demo operator" gives them, with an
    approver's token of its own, once nothing else is missing.
    """

    def __init__(self, console: Console, url: str, admin_token: str, *, fault: str | None, language: str) -> None:
        self._console = console
        self._url = url
        self._fault = fault
        self._language = language
        self._texts: Mapping[str, str] = catalogue(language)["demo"]
        self._client = Client(url, admin_token, language)
        self._operator = Client(url, self._operator_token(), language)
        self._last_event = 0

    def introduce(self, *, traffic: str, rate: float) -> None:
        """Say what is real and what is simulated."""
        stage = httpx2.get(f"{self._url}/demo").raise_for_status().json()
        self._say("service", url=self._url)
        self._say("users", traffic=traffic, rate=rate)
        self._say("waits", count=stage["transactions_per_request"], source=stage["io"])

    def run(self) -> str:
        """Start the rollout and follow it to its end; the phase that it ends in."""
        self._operator.post("/rollout/start", {"plan": "demo", "reason": self._texts["reason_start"]})
        ends_at = time.monotonic() + LIMIT_SECONDS
        with self._picture() as picture:
            while time.monotonic() < ends_at:
                status = self._client.get("/status")
                self._tell_events()
                picture.show(status)
                if status["rollout"]["phase"] in ENDED:
                    break
                self._act(status["rollout"], status["metrics"])
                time.sleep(POLL_SECONDS)  # until the next look
            else:
                raise Failure(self._texts["time_up"].format(seconds=LIMIT_SECONDS))
        return str(status["rollout"]["phase"])

    def conclude(self, phase: str) -> None:
        """Say how it ended."""
        self._say("promoted" if phase == "succeeded" else "rolled_back")

    def _act(self, rollout: Answer, metrics: Answer) -> None:
        if self._fault and metrics["canary"]["request_count"] >= FAULT_AFTER_REQUESTS:
            httpx2.post(f"{self._url}/demo/fault", json={"fault": self._fault}).raise_for_status()
            self._say("fault", fault=self._texts[f"fault_{self._fault}"])
            self._fault = None
        for gate in rollout["waiting_for"]:
            report_at, reason = rollout["report"]["at"], self._texts["reason_approve"]
            body = {"gate": gate, "step": rollout["step"], "report_at": report_at, "reason": reason}
            self._operator.post("/rollout/approve", body)

    def _tell_events(self) -> None:
        """Every event once."""
        page = self._client.get("/events", after=self._last_event, limit=1_000)
        self._last_event = page["next_after"]
        for event in page["events"]:
            line = Text(f"{event['at'][11:19]}  ", style="dim").append(event["title"], style="not dim bold")
            self._console.print(line.append(f"  {event['message']}" if event["message"] else "", style="not bold dim"))

    @contextmanager
    def _picture(self) -> "Iterator[Picture]":
        if not self._console.is_terminal:
            yield Lines(self._console)
            return
        with Live(console=self._console, auto_refresh=False) as live:
            yield Drawing(live, self._language)

    def _operator_token(self) -> str:
        return str(self._client.post("/tokens", {"name": OPERATOR, "role": "approver"})["token"])

    def _say(self, text: str, **values: Any) -> None:
        self._console.print(self._texts[text].format(**values), highlight=False)


class Picture(Protocol):
    """Where the status is shown."""

    def show(self, status: Answer) -> None: ...


class Drawing:
    """The whole status, drawn over the one before."""

    def __init__(self, live: Live, language: str) -> None:
        self._live = live
        self._language = language

    def show(self, status: Answer) -> None:
        self._live.update(status_view(status, self._language), refresh=True)


class Lines:
    """A line every few seconds, for logs and pipes; the end is drawn whole."""

    EVERY_SECONDS = 5.0

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = -self.EVERY_SECONDS

    def show(self, status: Answer) -> None:
        if status["rollout"]["phase"] in ENDED:
            self._console.print(status_view(status))
        elif time.monotonic() - self._shown_at >= self.EVERY_SECONDS:
            self._shown_at = time.monotonic()
            self._console.print(status_line(status), soft_wrap=True)
