"""API v2, served alike by both versions: the engines behind it are what differs."""

from collections.abc import AsyncGenerator, Callable
from time import perf_counter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Header, Query, Response
from fastapi.responses import StreamingResponse

from mentor import presenting, schemas
from mentor.canary import streaming
from mentor.conversations import TakenTurn
from mentor.dependencies import Engines
from mentor.detection import Hints
from mentor.feedback import Feedback
from mentor.schemas import UserId, instant
from mentor.sessions import SessionState
from serinus import DeploymentVersion

OUTCOME_HEADER = "X-Serinus-Outcome"
STREAMED_TOO: Final[dict[str, Any]] = {
    "response_model": schemas.TurnResponse,
    "responses": {200: {"content": {streaming.MEDIA_TYPE: {"schema": {"type": "string"}}}}},
}

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=256)]
Owner = Annotated[UserId, Query()]


def phase4_routes(engines: Engines, version: DeploymentVersion) -> APIRouter:
    """All calls under `/api/v2`, answered by the engines of `version`."""
    router = APIRouter(prefix="/api/v2")
    _add_recommendations(router, engines, version)
    _add_conversations(router, engines, version)
    _add_health(router, engines)
    return router


def _add_recommendations(router: APIRouter, engines: Engines, version: DeploymentVersion) -> None:
    service = engines.recommendations(version)

    @router.post("/recommend/personalized", tags=["recommendation"])
    async def recommend(body: schemas.RecommendRequest, response: Response) -> schemas.RecommendResponse:
        started = perf_counter()
        hints = body.context.hints() if body.context else Hints()
        recommended = await service.recommend(body.user_id, body.query, hints)
        _mark(response, degraded=recommended.degraded)
        metadata = presenting.recommendation_metadata(
            recommended, service, took_s=perf_counter() - started, simulated=engines.settings.simulation
        )
        return presenting.recommendation(recommended, body.options or schemas.RecommendOptions(), metadata)

    @router.post("/recommend/compare", tags=["recommendation"])
    async def compare(body: schemas.CompareRequest, response: Response) -> schemas.CompareResponse:
        compared = await service.compare(body.user_id, body.query, include_legacy=body.include_legacy)
        _mark(response, degraded=compared.degraded)
        return presenting.comparison(compared, version)

    @router.post("/recommend/feedback", tags=["recommendation"])
    async def rate(body: schemas.FeedbackRequest) -> schemas.FeedbackResponse:
        given = Feedback(**body.model_dump(), recorded_at=engines.clock())
        return schemas.FeedbackResponse(accepted=True, recorded_at=instant(await service.rate(given)))

    @router.get("/recommend/history", tags=["recommendation"])
    async def history(user_id: Owner, limit: Limit = 20, cursor: Cursor = None) -> schemas.HistoryResponse:
        page = await service.history(user_id, limit=limit, cursor=cursor)
        items = [presenting.history_item(made) for made in page.items]
        return schemas.HistoryResponse(user_id=user_id, items=items, next_cursor=page.next_cursor)


def _add_conversations(router: APIRouter, engines: Engines, version: DeploymentVersion) -> None:
    service = engines.conversations(version)

    @router.post("/conversations/start", tags=["conversation"])
    async def start(body: schemas.StartRequest) -> schemas.StartResponse:
        options = body.options or schemas.StartOptions()
        session = await service.start(
            body.user_id,
            body.persona_id,
            ttl_s=options.session_ttl_hours * 3600,
            uses_memory=options.use_context_memory,
        )
        return presenting.started(session)

    @router.post("/conversations/{session_id}/turn", tags=["conversation"], **STREAMED_TOO)
    async def turn(
        session_id: str, body: schemas.TurnRequest, response: Response, accept: Annotated[str, Header()] = ""
    ) -> Any:
        """With `Accept: text/event-stream` the words come as they are found: events `delta`, then `turn`."""
        started = perf_counter()

        def present(taken: TakenTurn) -> schemas.TurnResponse:
            return presenting.turn(taken, took_s=perf_counter() - started, simulated=engines.settings.simulation)

        if streaming.MEDIA_TYPE in accept:
            pieces = service.turn_in_pieces(session_id, body.user_message, body.metadata)
            return await _streamed(pieces, lambda taken: present(taken).model_dump_json())
        taken = await service.turn(session_id, body.user_message, body.metadata)
        _mark(response, degraded=taken.answer.degraded)
        return present(taken)

    @router.get("/conversations/{session_id}", tags=["conversation"])
    async def get(session_id: str) -> schemas.ConversationResponse:
        return presenting.conversation(await service.conversation(session_id))

    @router.post("/conversations/{session_id}/close", tags=["conversation"])
    async def close(
        session_id: str, body: Annotated[schemas.CloseRequest | None, Body()] = None
    ) -> schemas.CloseResponse:
        keep_messages = body is None or body.save_conversation
        return presenting.closed(await service.close(session_id, keep_messages=keep_messages))

    @router.get("/conversations", tags=["conversation"])
    async def conversations(
        user_id: Owner, state: SessionState | None = None, limit: Limit = 20, cursor: Cursor = None
    ) -> schemas.SessionsResponse:
        page, counts = await service.list(user_id, state=state, limit=limit, cursor=cursor)
        return schemas.SessionsResponse(
            user_id=user_id,
            sessions=[presenting.session_item(session, service.state(session)) for session in page.items],
            total_count=counts.total,
            active_count=counts.active,
            next_cursor=page.next_cursor,
        )


def _add_health(router: APIRouter, engines: Engines) -> None:
    """Phase 4's health, whichever version is asked."""
    checks = engines.health(DeploymentVersion.CANARY)

    @router.get("/phase4/health", tags=["health"])
    async def health() -> schemas.HealthResponse:
        return presenting.health(await checks.check(), simulated=engines.settings.simulation, now=engines.clock())


async def _streamed(
    pieces: AsyncGenerator[str | TakenTurn, None], present: Callable[[TakenTurn], str]
) -> StreamingResponse:
    """Waits for the first piece, so that what goes wrong before it has a status of its own."""
    first = await anext(pieces)
    response = StreamingResponse(streaming.events(first, pieces, present), media_type=streaming.MEDIA_TYPE)
    _mark(response, degraded=isinstance(first, TakenTurn) and first.answer.degraded)
    return response


def _mark(response: Response, *, degraded: bool) -> None:
    """Tell the canary layer, which takes the header off again, that this is not the answer the user should have had."""
    if degraded:
        response.headers[OUTCOME_HEADER] = "degraded"
