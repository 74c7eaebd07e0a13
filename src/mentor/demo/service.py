"""mentor for the demo: both versions await recorded database latencies, and the canary can be broken on request.

`MENTOR_DEMO_DATA` names the folder of recordings, `MENTOR_DEMO_SEED` seeds what is left to chance. ``GET /demo`` says
what is simulated; ``POST /demo/fault {"fault": "errors"}`` breaks the canary. Meant for loopback: it asks for no token.
"""

from pathlib import Path
from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.types import ASGIApp

from mentor.canary.app import canary_app
from mentor.demo.recordings import TRANSACTIONS, Recordings, best_available
from mentor.demo.sources import Source
from mentor.dependencies import Engines
from mentor.faults import ErrorFault, OutageFault
from mentor.legacy.app import legacy_app
from mentor.main import service
from mentor.recorded_io import RecordedLatency
from mentor.settings import MentorSettings

Fault = Literal["errors", "latency", "outage", "endpoint"]
ERROR_SHARE = 0.08
FAULTY_ENDPOINT = "/api/v2/recommend/personalized"


class DemoSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MENTOR_DEMO_")

    data: Path = Path("../shared/data/traffic")
    seed: int = 1


class FaultOrder(BaseModel):
    fault: Fault | None


class DemoState(BaseModel):
    """Where the simulated database latencies come from, and what is broken at the moment."""

    recordings: Source
    transactions_per_request: int
    fault: Fault | None


class Stage:
    """The canary with everything that can go wrong with it, one fault at a time."""

    def __init__(self, canary: ASGIApp, recordings: Recordings, seed: int) -> None:
        self.recordings = recordings
        self.fault: Fault | None = None
        self.endpoint = ErrorFault(canary, share=4 * ERROR_SHARE, seed=seed, path=FAULTY_ENDPOINT)
        self.errors = ErrorFault(self.endpoint, share=ERROR_SHARE, seed=seed)
        self.outage = OutageFault(self.errors)
        self.app = RecordedLatency(self.outage, recordings.fast_ms)

    def inject(self, fault: Fault | None) -> None:
        """Break the canary this way and no other; None mends it."""
        self.fault = fault
        self.errors.active = fault == "errors"
        self.endpoint.active = fault == "endpoint"
        self.outage.active = fault == "outage"
        self.app.replay(self.recordings.slow_ms if fault == "latency" else self.recordings.fast_ms)

    def state(self) -> DemoState:
        return DemoState(recordings=self.recordings.source, transactions_per_request=TRANSACTIONS, fault=self.fault)


def create_app() -> ASGIApp:
    """The whole service: both versions on stage, behind serinus."""
    settings = DemoSettings()
    engines = Engines(MentorSettings())
    recordings = best_available(settings.data, settings.seed)
    legacy, canary = legacy_app(engines), canary_app(engines)
    stage = Stage(canary, recordings, settings.seed)
    _add_controls(legacy, stage)
    return service(engines, legacy=RecordedLatency(legacy, recordings.fast_ms), canary=stage.app)


def _add_controls(legacy: FastAPI, stage: Stage) -> None:
    @legacy.get("/demo")
    def show() -> DemoState:
        return stage.state()

    @legacy.post("/demo/fault")
    def inject(order: FaultOrder) -> DemoState:
        stage.inject(order.fault)
        return stage.state()


app = create_app()
