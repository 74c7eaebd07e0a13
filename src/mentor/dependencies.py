"""The engines of the service: each is built when it is first asked for, and there is one of each.

The module's functions are the service's own engines, configured from the environment. Tests make their own `Engines`.
"""

import random
import time
from collections.abc import Callable
from functools import cache, cached_property
from typing import Final

from mentor.callers import Callers
from mentor.canary.content import shared_head
from mentor.canary.encoder import shared_encoder
from mentor.canary.ensemble import EnsembleRecommender
from mentor.canary.language_model import LanguageModel
from mentor.canary.multiturn import MultiturnEngine
from mentor.canary.responders import Offline, Responder, WithFallback
from mentor.conversations import Conversations
from mentor.exploration import NO_EXPLORATION, Exploration
from mentor.feedback import RecommendationLog
from mentor.health import Health
from mentor.legacy.resonance import ResonanceRecommender
from mentor.personal import PersonalStore
from mentor.rates import RateLimit
from mentor.recommendations import Recommendations
from mentor.retention import Retention
from mentor.sessions import SessionStore
from mentor.settings import MentorSettings
from mentor.simulation import SimulatedLog, SimulatedSessions
from serinus import Database, DeploymentVersion

_DAY_S: Final = 24 * 3600.0


class Engines:
    """All parts of one service, over one database that both versions share."""

    def __init__(
        self,
        settings: MentorSettings,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`clock` gives epoch seconds; `draw` gives uniform numbers on [0, 1), which decide what is explored."""
        self.settings = settings
        self.clock = clock
        self.draw = draw
        self.database = Database("sqlite+aiosqlite://" if settings.simulation else settings.database_url)

    @cached_property
    def recommendation_engine(self) -> EnsembleRecommender:
        return EnsembleRecommender(shared_head())

    @cached_property
    def session_manager(self) -> SessionStore:
        return SimulatedSessions(self.clock) if self.settings.simulation else SessionStore(self.database)

    @cached_property
    def multiturn_engine(self) -> MultiturnEngine:
        return MultiturnEngine(shared_encoder(), remembers=True)

    @cached_property
    def legacy_recommendation_engine(self) -> ResonanceRecommender:
        return ResonanceRecommender()

    @cached_property
    def legacy_multiturn_engine(self) -> MultiturnEngine:
        return MultiturnEngine(shared_encoder(), remembers=False)

    @cached_property
    def responder(self) -> Responder:
        model = None if self.settings.simulation else self.settings.model
        return WithFallback(LanguageModel(model), timeout_s=model.timeout_s) if model else Offline()

    @cached_property
    def callers(self) -> Callers:
        secret = self.settings.auth_secret.get_secret_value() if self.settings.auth else None
        rate = self.settings.rate_per_minute
        return Callers(secret, RateLimit(rate, self.clock) if rate else None, self.clock)

    @cached_property
    def personal_store(self) -> PersonalStore:
        return PersonalStore(self.database)

    @cached_property
    def retention(self) -> Retention:
        kept_s = self.settings.retention_days * _DAY_S
        return Retention(self.session_manager, self.log, kept_s=kept_s, clock=self.clock)

    @cached_property
    def log(self) -> RecommendationLog:
        return SimulatedLog() if self.settings.simulation else RecommendationLog(self.database, shared_head())

    def recommendations(self, version: DeploymentVersion) -> Recommendations:
        return Recommendations(
            version=version,
            phase3=self.legacy_recommendation_engine,
            phase4=self.recommendation_engine,
            log=self.log,
            clock=self.clock,
            exploration=self._exploration(version),
        )

    def conversations(self, version: DeploymentVersion) -> Conversations:
        canary = version is DeploymentVersion.CANARY
        return Conversations(
            sessions=self.session_manager,
            log=self.log,
            engine=self.multiturn_engine if canary else self.legacy_multiturn_engine,
            responder=self.responder,
            recommender=self.recommendation_engine if canary else self.legacy_recommendation_engine,
            clock=self.clock,
        )

    def health(self, version: DeploymentVersion) -> Health:
        recommendations = self.recommendations(version)
        return Health(
            recommender=recommendations.recommender,
            engine=self.multiturn_engine if version is DeploymentVersion.CANARY else self.legacy_multiturn_engine,
            database=self.database,
        )

    def _exploration(self, version: DeploymentVersion) -> Exploration:
        """Phase 3 always shows what scores best, and a simulation answers from its input alone."""
        if version is DeploymentVersion.LEGACY or self.settings.simulation:
            return NO_EXPLORATION
        return Exploration(self.settings.exploration, self.draw)

    async def prepare(self) -> None:
        """Bring the tables up to date. Raises StoreUnavailable."""
        await self.database.migrate("mentor.migrations")

    async def close(self) -> None:
        await self.responder.close()
        await self.database.close()

    def initialize(self) -> None:
        """Build what is built lazily, so that the first request does not pay for it."""
        _ = (self.recommendation_engine, self.session_manager, self.multiturn_engine)
        _ = (self.legacy_recommendation_engine, self.legacy_multiturn_engine, self.log, self.responder)
        for version in DeploymentVersion:
            self.health(version).rehearse()

    def status(self) -> dict[str, bool]:
        built = {
            f"{name}_initialized": name in self.__dict__
            for name in ("recommendation_engine", "session_manager", "multiturn_engine")
        }
        return {"phase4_available": all(built.values()), **built}


@cache
def get_engines() -> Engines:
    return Engines(MentorSettings())


def get_recommendation_engine() -> EnsembleRecommender:
    return get_engines().recommendation_engine


def get_session_manager() -> SessionStore:
    return get_engines().session_manager


def get_multiturn_engine() -> MultiturnEngine:
    return get_engines().multiturn_engine


def get_phase4_status() -> dict[str, bool]:
    """Which engines are built, without building any."""
    return get_engines().status()


def initialize_all_engines() -> None:
    get_engines().initialize()
