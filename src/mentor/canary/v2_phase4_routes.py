"""API v2, served alike by both versions: the engines behind it are what differs."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from time import perf_counter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response
from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection

from mentor import personal_schemas, presenting, schemas
from mentor.callers import Caller, Callers
from mentor.canary import streaming
from mentor.conversations import Conversations, TakenTurn
from mentor.dependencies import Engines
from mentor.detection import Hints
from mentor.errors import SessionNotFound
from mentor.feedback import Feedback
from mentor.problems import OFTEN, documented
from mentor.schemas import UserId, instant
from mentor.sessions import SessionState
from serinus import DeploymentVersion

OUTCOME_HEADER = "X-Serinus-Outcome"
STREAMED_TOO: Final[dict[str, Any]] = {
    "response_model": schemas.TurnResponse,
    "responses": {
        200: {"content": {streaming.MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **documented(404, 409, 410),
    },
}

Limit = Annotated[int, Query(ge=1, le=100)]
Cursor = Annotated[str | None, Query(max_length=256)]
Owner = Annotated[UserId, Query()]
PathUser = Annotated[UserId, Path()]


async def _caller(connection: HTTPConnection) -> Caller:  # awaits nothing; as a plain function it had a thread's trip
    callers: Callers = connection.app.state.callers
    return callers.identify(connection)


Calling = Annotated[Caller, Depends(_caller)]


def phase4_routes(engines: Engines, version: DeploymentVersion) -> APIRouter:
    """All calls under `/api/v2`, answered by the engines of `version`; the application's state holds the `callers`."""
    router = APIRouter(prefix="/api/v2", responses=documented(*OFTEN))
    conversations = engines.conversations(version)
    _add_recommendations(router, engines, version)
    _add_conversations(router, engines, conversations)
    _add_turns(router, engines, conversations)
    _add_conversation(router, conversations)
    _add_personal(router, engines)
    _add_health(router, engines)
    return router


def _add_recommendations(router: APIRouter, engines: Engines, version: DeploymentVersion) -> None:
    service = engines.recommendations(version)

    @router.post("/recommend/personalized", tags=["recommendation"])
    async def recommend(
        body: schemas.RecommendRequest, response: Response, caller: Calling
    ) -> schemas.RecommendResponse:
        started = perf_counter()
        caller.must_be(body.user_id)
        await engines.retention.enforce()
        hints = body.context.hints() if body.context else Hints()
        recommended = await service.recommend(body.user_id, body.query, hints)
        _mark(response, degraded=recommended.degraded)
        metadata = presenting.recommendation_metadata(
            recommended, service, took_s=perf_counter() - started, simulated=engines.settings.simulation
        )
        return presenting.recommendation(recommended, body.options or schemas.RecommendOptions(), metadata)

    @router.post("/recommend/compare", tags=["recommendation"])
    async def compare(body: schemas.CompareRequest, response: Response, caller: Calling) -> schemas.CompareResponse:
        caller.must_be(body.user_id)
        compared = await service.compare(body.user_id, body.query, include_legacy=body.include_legacy)
        _mark(response, degraded=compared.degraded)
        return presenting.comparison(compared, version)

    @router.post("/recommend/feedback", tags=["recommendation"], responses=documented(404))
    async def rate(body: schemas.FeedbackRequest, caller: Calling) -> schemas.FeedbackResponse:
        caller.must_be(body.user_id)
        given = Feedback(**body.model_dump(), recorded_at=engines.clock())
        return schemas.FeedbackResponse(accepted=True, recorded_at=instant(await service.rate(given)))

    @router.get("/recommend/history", tags=["recommendation"])
    async def history(
        user_id: Owner, caller: Calling, limit: Limit = 20, cursor: Cursor = None
    ) -> schemas.HistoryResponse:
        caller.must_be(user_id)
        page = await service.history(user_id, limit=limit, cursor=cursor)
        items = [presenting.history_item(made) for made in page.items]
        return schemas.HistoryResponse(user_id=user_id, items=items, next_cursor=page.next_cursor)


def _add_conversations(router: APIRouter, engines: Engines, service: Conversations) -> None:
    @router.post("/conversations/start", tags=["conversation"])
    async def start(body: schemas.StartRequest, caller: Calling) -> schemas.StartResponse:
        caller.must_be(body.user_id)
        await engines.retention.enforce()
        options = body.options or schemas.StartOptions()
        session = await service.start(
            body.user_id,
            body.persona_id,
            ttl_s=options.session_ttl_hours * 3600,
            uses_memory=options.use_context_memory,
        )
        return presenting.started(session)

    @router.get("/conversations", tags=["conversation"])
    async def conversations(
        user_id: Owner, caller: Calling, state: SessionState | None = None, limit: Limit = 20, cursor: Cursor = None
    ) -> schemas.SessionsResponse:
        caller.must_be(user_id)
        page, counts = await service.list(user_id, state=state, limit=limit, cursor=cursor)
        return schemas.SessionsResponse(
            user_id=user_id,
            sessions=[presenting.session_item(session, service.state(session)) for session in page.items],
            total_count=counts.total,
            active_count=counts.active,
            next_cursor=page.next_cursor,
        )


def _owned_by_caller(service: Conversations) -> Callable[[str, Caller], Awaitable[str]]:
    async def own(session_id: str, caller: Calling) -> str:
        """The conversation's identifier, if there can be one and the caller may know about it."""
        if "\0" in session_id:  # no database keeps it, and some refuse to look for it
            raise SessionNotFound("Start a conversation with POST /api/v2/conversations/start.")
        if caller.user_id is not None:
            caller.must_own(await service.owner(session_id))
        return session_id

    return own


def _add_turns(router: APIRouter, engines: Engines, service: Conversations) -> None:
    own = Depends(_owned_by_caller(service))

    @router.post("/conversations/{session_id}/turn", tags=["conversation"], **STREAMED_TOO)
    async def turn(
        session_id: Annotated[str, own],
        body: schemas.TurnRequest,
        response: Response,
        accept: Annotated[str, Header()] = "",
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


def _add_conversation(router: APIRouter, service: Conversations) -> None:
    own = Depends(_owned_by_caller(service))

    @router.get("/conversations/{session_id}", tags=["conversation"], responses=documented(404))
    async def get(session_id: Annotated[str, own]) -> schemas.ConversationResponse:
        return presenting.conversation(await service.conversation(session_id))

    @router.post("/conversations/{session_id}/close", tags=["conversation"], responses=documented(404))
    async def close(
        session_id: Annotated[str, own], body: Annotated[schemas.CloseRequest | None, Body()] = None
    ) -> schemas.CloseResponse:
        keep_messages = body is None or body.save_conversation
        return presenting.closed(await service.close(session_id, keep_messages=keep_messages))

    @router.delete("/conversations/{session_id}", tags=["conversation"], status_code=204, responses=documented(404))
    async def delete(session_id: Annotated[str, own]) -> None:
        """Nothing of it is kept."""
        await service.delete(session_id)


def _add_personal(router: APIRouter, engines: Engines) -> None:
    store = engines.personal_store

    @router.get("/users/{user_id}/export", tags=["personal"])
    async def export(user_id: PathUser, caller: Calling) -> personal_schemas.ExportResponse:
        """Everything that is stored about a user."""
        caller.must_be(user_id)
        return presenting.export(user_id, await store.export(user_id), now=engines.clock())

    @router.delete("/users/{user_id}", tags=["personal"])
    async def erase(user_id: PathUser, caller: Calling) -> personal_schemas.EraseResponse:
        """Forget a user: conversations, recommendations, feedback, and what was learnt from it about them."""
        caller.must_be(user_id)
        return presenting.erased(user_id, await store.erase(user_id), now=engines.clock())


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
