"""Phase 3's scoring: half tone, three tenths pace, two tenths intent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor.canary.population import nothing_learned
from mentor.detection import Detection, Hints, Intent, Pace, Tone, detect
from mentor.legacy.resonance import ResonanceRecommender
from mentor.legacy.resonance_table import RESONANCE
from mentor.personas import Language, Persona
from mentor.recommendation import Query, Recommendation

labels = st.builds(
    Detection, st.sampled_from(Tone), st.sampled_from(Pace), st.sampled_from(Intent), st.sampled_from(Language)
)


def recommend(detected: Detection) -> Recommendation:
    return ResonanceRecommender().recommend(Query("", detected, Hints()), nothing_learned())


@pytest.mark.parametrize(
    ("labelled", "scores", "confidence"),
    [
        ((Tone.FRUSTRATED, Pace.BURST, Intent.SEEK_ADVICE), (1.0, 0.44, 0.59, 0.59), 0.3 * 0.41 + 0.7 * 1.0),
        ((Tone.ANALYTICAL, Pace.MEDIUM, Intent.LEARNING), (0.51, 1.0, 0.98, 0.69), 0.3 * 0.02 + 0.7 * 1.0),
        ((Tone.COLLABORATIVE, Pace.FLOWING, Intent.PLANNING), (0.7, 0.65, 0.8, 0.97), 0.3 * 0.17 + 0.7 * 0.97),
        ((Tone.CALM, Pace.CONTEMPLATIVE, Intent.VALIDATION), (0.73, 0.85, 1.0, 0.77), 0.3 * 0.15 + 0.7 * 1.0),
    ],
)
def test_scores_and_confidence_follow_the_table(
    labelled: tuple[Tone, Pace, Intent], scores: tuple[float, ...], confidence: float
) -> None:
    made = recommend(Detection(*labelled, Language.EN))
    assert tuple(made.scores[persona] for persona in Persona) == pytest.approx(scores)
    assert made.confidence == pytest.approx(confidence)


def test_the_table_knows_every_label() -> None:
    assert set(RESONANCE) == {*Tone, *Pace, *Intent}


@given(labels)
def test_scores_and_confidence_stay_between_zero_and_one(detected: Detection) -> None:
    made = recommend(detected)
    assert all(0 <= score <= 1 for score in (*made.scores.values(), made.confidence))
    assert made.scores[made.primary] == max(made.scores.values())


@pytest.mark.parametrize(
    ("text", "persona"),
    [
        ("ugh, I hate this, I'm so fed up, what should I do?", Persona.LUA),
        ("Explain the complexity of this algorithm, I want to learn the concept", Persona.ELRO),
        ("Please check and verify that the metrics are calculated as in the data", Persona.RIRI),
        ("Let's plan the schedule together with our team", Persona.NANA),
        ("너무 불안하고 걱정돼요, 조언 좀 해 주세요", Persona.LUA),
        ("데이터를 분석한 근거가 맞는지 검증해 주세요", Persona.RIRI),
        ("우리 팀원들과 함께 다음 주 계획을 세우자", Persona.NANA),
    ],
)
def test_every_persona_is_recommended_to_somebody(text: str, persona: Persona) -> None:
    assert recommend(detect(text)).primary is persona


def test_the_reason_shows_the_terms_in_the_querys_language() -> None:
    made = recommend(Detection(Tone.ANXIOUS, Pace.MEDIUM, Intent.LEARNING, Language.EN))
    assert made.reasons[Persona.LUA] == (
        "Lua: 0.5 × tone anxious 1.0 + 0.3 × pace medium 0.8 + 0.2 × intent learning 0.6 = 0.86"
    )
    korean = recommend(Detection(Tone.ANXIOUS, Pace.MEDIUM, Intent.LEARNING, Language.KO))
    assert korean.reasons[Persona.LUA].startswith("루아: 0.5 × 어조 anxious 1.0")
