"""The shapes of API v2 on the wire. Validation happens here; behind it, types are trusted."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from mentor.detection import Hints, Intent, Pace, Tone
from mentor.health import Condition
from mentor.personas import Language, Persona
from mentor.sessions import SessionState

_METADATA_BYTES: Final = 4096


def instant(at: float) -> datetime:
    """Epoch seconds as the wire has them: ISO 8601, UTC."""
    return datetime.fromtimestamp(at, UTC)


def _any_case(value: object) -> object:
    return value.strip().capitalize() if isinstance(value, str) else value


def _storable(labels: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(json.dumps(labels, allow_nan=False, ensure_ascii=False).encode())
    except (ValueError, RecursionError) as error:
        raise ValueError("has to be plain JSON") from error
    if size > _METADATA_BYTES:
        raise ValueError(f"has to be at most {_METADATA_BYTES} bytes of JSON")
    return labels


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold the character U+0000, which a database cannot keep")
    return text


Kept = AfterValidator(_without_nul)
UserId = Annotated[str, StringConstraints(min_length=1, max_length=128), Kept]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), Kept]
PersonaName = Annotated[Persona, BeforeValidator(_any_case)]


class Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class Context(Body):
    tone: Tone | None = None
    pace: Pace | None = None
    intent: Intent | None = None

    def hints(self) -> Hints:
        return Hints(self.tone, self.pace, self.intent)


class RecommendOptions(Body):
    top_k: Annotated[int, Field(ge=1, le=4)] = 3
    include_explanation: bool = True


class RecommendRequest(Body):
    user_id: UserId
    query: Text
    context: Context | None = None
    options: RecommendOptions | None = None


class Detected(Body):
    tone: Tone
    pace: Pace
    intent: Intent
    language: Language


class RankedRecommendation(Body):
    persona: Persona
    score: float
    reason: str


class RecommendMetadata(Body):
    recommendation_id: str
    model_version: str
    algorithm: str
    processing_time_ms: float
    ab_group: str
    explored: bool
    detected: Detected
    simulated: bool


class RecommendResponse(Body):
    primary_persona: Persona
    confidence: float
    all_scores: dict[Persona, float]
    ranked_recommendations: list[RankedRecommendation]
    explanation: str | None
    metadata: RecommendMetadata


class CompareRequest(Body):
    user_id: UserId
    query: Text
    include_legacy: bool = True


class ComparedRecommendation(Body):
    persona: Persona
    confidence: float
    method: str


class CompareResponse(Body):
    """Without the legacy answer `comparison` says only to which version the caller was assigned."""

    new_recommendation: ComparedRecommendation
    legacy_recommendation: ComparedRecommendation | None
    comparison: dict[str, bool | float | str]


class FeedbackRequest(Body):
    user_id: UserId
    recommendation_id: Annotated[str, StringConstraints(min_length=1, max_length=64), Kept]
    rating: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
    chosen_persona: PersonaName | None = None
    comment: Annotated[str, StringConstraints(max_length=4000), Kept] | None = None


class FeedbackResponse(Body):
    accepted: bool
    recorded_at: datetime


class HistoryItem(Body):
    recommendation_id: str
    query: str
    persona: Persona
    confidence: float
    version: str
    made_at: datetime
    rating: float | None
    chosen_persona: Persona | None
    propensities: dict[Persona, float] | None


class HistoryResponse(Body):
    user_id: str
    items: list[HistoryItem]
    next_cursor: str | None


class StartOptions(Body):
    session_ttl_hours: Annotated[float, Field(gt=0, le=168, allow_inf_nan=False)] = 24
    use_context_memory: bool = True


class StartRequest(Body):
    user_id: UserId
    persona_id: PersonaName
    options: StartOptions | None = None


class StartResponse(Body):
    session_id: str
    user_id: str
    persona_id: Persona
    created_at: datetime
    expires_at: datetime
    status: SessionState


class TurnRequest(Body):
    """`metadata` is the caller's own: it is kept with the turn and given back with the history."""

    user_message: Text
    metadata: Annotated[dict[str, Any], AfterValidator(_storable)] = {}


class TurnMetadata(Body):
    processing_time_ms: float
    tokens_used: int
    confidence: float
    persona_used: Persona
    detected: Detected
    generated_by: str
    degraded: bool
    simulated: bool


class TurnResponse(Body):
    turn_number: int
    session_id: str
    response_text: str
    context_used: str
    next_suggestion: str
    metadata: TurnMetadata


class Message(Body):
    turn_id: int
    user_message: str
    ai_response: str
    timestamp: datetime
    metadata: dict[str, Any]


class ContextMemory(Body):
    topics: list[str]
    entities: dict[str, list[str]]
    user_preferences: list[str]
    summary: list[str]


class ConversationResponse(Body):
    session_id: str
    user_id: str
    persona_id: Persona
    turn_count: int
    messages: list[Message]
    context_memory: ContextMemory
    state: SessionState
    expires_at: datetime


class CloseRequest(Body):
    save_conversation: bool = True


class CloseSummary(Body):
    total_turns: int
    total_duration_minutes: float
    main_topics: list[str]
    user_satisfaction: float | None
    key_points: list[str]


class CloseResponse(Body):
    session_id: str
    closed_at: datetime
    summary: CloseSummary


class SessionItem(Body):
    session_id: str
    persona_id: Persona
    turn_count: int
    created_at: datetime
    last_activity: datetime
    state: SessionState


class SessionsResponse(Body):
    user_id: str
    sessions: list[SessionItem]
    total_count: int
    active_count: int
    next_cursor: str | None


class Phase4Features(Body):
    recommendations_available: bool
    conversations_available: bool
    ab_testing_enabled: bool


class HealthResponse(Body):
    status: Condition
    phase4_features: Phase4Features
    components: dict[str, Condition]
    simulation: bool
    timestamp: datetime
