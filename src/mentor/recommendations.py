"""Recommending, rating and comparing, for one version."""

from collections.abc import Callable
from dataclasses import dataclass

from mentor.canary.population import Learned, nothing_learned
from mentor.detection import Hints, detect
from mentor.exploration import Exploration, Shown
from mentor.feedback import Feedback, MadeRecommendation, RecommendationLog
from mentor.paging import Page
from mentor.recommendation import Query, Recommendation, Recommender
from serinus import DeploymentVersion, StoreUnavailable, record_value


@dataclass(frozen=True, slots=True)
class Recommended:
    """A recommendation as it was made; `degraded`: the store was away, so it is impersonal and not on record."""

    recommendation_id: str
    query: Query
    recommendation: Recommendation
    shown: Shown
    degraded: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both engines on the same query of the same user."""

    phase4: Recommendation
    phase4_method: str
    phase3: Recommendation | None
    phase3_method: str
    degraded: bool


class Recommendations:
    def __init__(
        self,
        *,
        version: DeploymentVersion,
        phase3: Recommender,
        phase4: Recommender,
        log: RecommendationLog,
        clock: Callable[[], float],
        exploration: Exploration,
    ) -> None:
        self.version = version
        self.recommender = phase4 if version is DeploymentVersion.CANARY else phase3
        self._phase3 = phase3
        self._phase4 = phase4
        self._log = log
        self._clock = clock
        self._exploration = exploration

    async def recommend(self, user_id: str, text: str, hints: Hints) -> Recommended:
        """Answers without the store too: from the text alone."""
        query = Query(text, detect(text, hints), hints)
        learned, degraded = await self._learned(user_id)
        recommendation = self.recommender.recommend(query, learned)
        shown = self._exploration.show(recommendation)
        made = MadeRecommendation(
            recommendation_id=self._log.new_id(user_id, text),
            user_id=user_id,
            query=text,
            version=self.version,
            persona=shown.persona,
            confidence=recommendation.chances[shown.persona],
            expected=recommendation.expected,
            made_at=self._clock(),
            hints=hints,
            propensities=shown.propensities,
        )
        degraded = degraded or not await self._logged(made)
        return Recommended(made.recommendation_id, query, recommendation, shown, degraded)

    async def compare(self, user_id: str, text: str, *, include_legacy: bool) -> Comparison:
        query = Query(text, detect(text), Hints())
        learned, degraded = await self._learned(user_id)
        phase3 = self._phase3.recommend(query, learned) if include_legacy else None
        return Comparison(
            phase4=self._phase4.recommend(query, learned),
            phase4_method=self._phase4.algorithm,
            phase3=phase3,
            phase3_method=self._phase3.algorithm,
            degraded=degraded,
        )

    async def rate(self, given: Feedback) -> float:
        """Returns when it was recorded, epoch seconds. Raises RecommendationNotFound."""
        recorded_at = await self._log.record(given)
        if recorded_at == given.recorded_at:  # the same rating twice is one
            record_value("satisfaction", given.rating)
        return recorded_at

    async def history(self, user_id: str, *, limit: int, cursor: str | None) -> Page[MadeRecommendation]:
        return await self._log.history(user_id, limit=limit, cursor=cursor)

    async def _learned(self, user_id: str) -> tuple[Learned, bool]:
        try:
            return await self._log.learned(user_id), False
        except StoreUnavailable:
            return nothing_learned(), True

    async def _logged(self, made: MadeRecommendation) -> bool:
        try:
            await self._log.add(made)
        except StoreUnavailable:
            return False
        return True
