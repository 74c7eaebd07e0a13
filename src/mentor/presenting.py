"""Answers of the engines as bodies of API v2."""

from dataclasses import asdict

from mentor import personal_schemas, schemas
from mentor.conversations import ClosedConversation, Conversation, TakenTurn
from mentor.detection import Detection
from mentor.feedback import MadeRecommendation
from mentor.health import Checkup, Condition
from mentor.personal import Erased, PersonalRecords
from mentor.recommendation import Recommendation
from mentor.recommendations import Comparison, Recommendations, Recommended
from mentor.schemas import instant
from mentor.sessions import Session, SessionState
from serinus import DeploymentVersion

_DECIMALS = 4


def recommendation(
    recommended: Recommended, options: schemas.RecommendOptions, metadata: schemas.RecommendMetadata
) -> schemas.RecommendResponse:
    made, shown = recommended.recommendation, recommended.shown
    return schemas.RecommendResponse(
        primary_persona=shown.persona,
        confidence=round(made.chances[shown.persona], _DECIMALS),
        all_scores={persona: round(score, _DECIMALS) for persona, score in made.scores.items()},
        ranked_recommendations=[
            schemas.RankedRecommendation(
                persona=persona, score=round(made.scores[persona], _DECIMALS), reason=made.reasons[persona]
            )
            for persona in shown.ranking[: options.top_k]
        ],
        explanation=". ".join(made.reasons[persona] for persona in shown.ranking[:2])
        if options.include_explanation
        else None,
        metadata=metadata,
    )


def recommendation_metadata(
    recommended: Recommended, service: Recommendations, *, took_s: float, simulated: bool
) -> schemas.RecommendMetadata:
    return schemas.RecommendMetadata(
        recommendation_id=recommended.recommendation_id,
        model_version=service.recommender.model_version,
        algorithm=service.recommender.algorithm,
        processing_time_ms=_ms(took_s),
        ab_group=service.version,
        explored=recommended.shown.explored,
        detected=detected(recommended.query.detection),
        simulated=simulated,
    )


def comparison(compared: Comparison, version: DeploymentVersion) -> schemas.CompareResponse:
    said: dict[str, bool | float | str] = {"ab_test_assignment": version.value}
    if compared.phase3 is not None:
        same = compared.phase4.primary == compared.phase3.primary
        said["consensus"] = same
        said["recommendation_changed"] = not same
        said["confidence_improvement"] = round(compared.phase4.confidence - compared.phase3.confidence, _DECIMALS)
    return schemas.CompareResponse(
        new_recommendation=_compared(compared.phase4, compared.phase4_method),
        legacy_recommendation=_compared(compared.phase3, compared.phase3_method) if compared.phase3 else None,
        comparison=said,
    )


def history_item(made: MadeRecommendation) -> schemas.HistoryItem:
    return schemas.HistoryItem(
        recommendation_id=made.recommendation_id,
        query=made.query,
        persona=made.persona,
        confidence=round(made.confidence, _DECIMALS),
        version=made.version,
        made_at=instant(made.made_at),
        rating=made.rating,
        chosen_persona=made.chosen_persona,
        propensities=made.propensities,
    )


def started(session: Session) -> schemas.StartResponse:
    return schemas.StartResponse(
        session_id=session.session_id,
        user_id=session.user_id,
        persona_id=session.persona,
        created_at=instant(session.created_at),
        expires_at=instant(session.expires_at),
        status=SessionState.ACTIVE,
    )


def turn(taken: TakenTurn, *, took_s: float, simulated: bool) -> schemas.TurnResponse:
    return schemas.TurnResponse(
        turn_number=taken.turn.turn_number,
        session_id=taken.session.session_id,
        response_text=taken.turn.ai_response,
        context_used=taken.prepared.prompt.context,
        next_suggestion=taken.answer.next_suggestion,
        metadata=schemas.TurnMetadata(
            processing_time_ms=_ms(took_s),
            tokens_used=taken.word_count,
            confidence=round(taken.fit, _DECIMALS),
            persona_used=taken.session.persona,
            detected=detected(taken.prepared.prompt.detected),
            generated_by=taken.answer.generated_by,
            degraded=taken.answer.degraded,
            simulated=simulated,
        ),
    )


def conversation(found: Conversation) -> schemas.ConversationResponse:
    session, memory = found.session, found.memory
    return schemas.ConversationResponse(
        session_id=session.session_id,
        user_id=session.user_id,
        persona_id=session.persona,
        turn_count=session.turn_count,
        messages=[
            schemas.Message(
                turn_id=turn.turn_number,
                user_message=turn.user_message,
                ai_response=turn.ai_response,
                timestamp=instant(turn.answered_at),
                metadata=turn.labels,
            )
            for turn in found.turns
        ],
        context_memory=schemas.ContextMemory(
            topics=memory.main_topics,
            entities=memory.entities_by_kind,
            user_preferences=list(memory.preferences),
            summary=[statement.text for statement in memory.summary],
        ),
        state=found.state,
        expires_at=instant(session.expires_at),
    )


def closed(conversation: ClosedConversation) -> schemas.CloseResponse:
    return schemas.CloseResponse(
        session_id=conversation.session_id,
        closed_at=instant(conversation.closed_at),
        summary=schemas.CloseSummary(
            total_turns=conversation.total_turns,
            total_duration_minutes=round(conversation.duration_s / 60, 3),
            main_topics=conversation.main_topics,
            user_satisfaction=conversation.satisfaction,
            key_points=conversation.key_points,
        ),
    )


def session_item(session: Session, state: SessionState) -> schemas.SessionItem:
    return schemas.SessionItem(
        session_id=session.session_id,
        persona_id=session.persona,
        turn_count=session.turn_count,
        created_at=instant(session.created_at),
        last_activity=instant(session.last_activity_at),
        state=state,
    )


def export(user_id: str, records: PersonalRecords, *, now: float) -> personal_schemas.ExportResponse:
    return personal_schemas.ExportResponse(user_id=user_id, exported_at=instant(now), **asdict(records))


def erased(user_id: str, counts: Erased, *, now: float) -> personal_schemas.EraseResponse:
    return personal_schemas.EraseResponse(
        user_id=user_id, erased_at=instant(now), erased=personal_schemas.ErasedCounts(**asdict(counts))
    )


def health(checkup: Checkup, *, simulated: bool, now: float) -> schemas.HealthResponse:
    working = {
        "recommendation_engine": checkup.recommends,
        "multiturn_engine": checkup.converses,
        "store": checkup.stores,
    }
    return schemas.HealthResponse(
        status=checkup.condition,
        phase4_features=schemas.Phase4Features(
            recommendations_available=checkup.recommends,
            conversations_available=checkup.converses and checkup.stores,
            ab_testing_enabled=checkup.recommends,
        ),
        components={name: Condition.HEALTHY if works else Condition.UNHEALTHY for name, works in working.items()},
        simulation=simulated,
        timestamp=instant(now),
    )


def detected(found: Detection) -> schemas.Detected:
    return schemas.Detected(tone=found.tone, pace=found.pace, intent=found.intent, language=found.language)


def _compared(made: Recommendation, method: str) -> schemas.ComparedRecommendation:
    return schemas.ComparedRecommendation(
        persona=made.primary, confidence=round(made.confidence, _DECIMALS), method=method
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
