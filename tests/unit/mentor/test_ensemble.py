"""Phase 4's scoring: what the text is about, and what the user's ratings taught."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import train_heads
from mentor.canary.content import shared_head
from mentor.canary.encoder import DIMENSIONS, shared_encoder
from mentor.canary.ensemble import EnsembleRecommender, terms_of
from mentor.canary.population import PERSONAS, Learned, learn, nothing_learned
from mentor.detection import Hints, Intent, Tone, detect
from mentor.head import Head, odds_of
from mentor.personas import Persona
from mentor.recommendation import Query, Recommendation

ROOT = Path(__file__).parents[3]
TEXTS = (
    "How do I undo a commit?",
    "I feel so alone",
    "팀 회의 일정을 잡아 줘",
    "두 비율의 차이가 유의한가요?",
    "hello",
)


@pytest.fixture(scope="module")
def recommender() -> EnsembleRecommender:
    return EnsembleRecommender(shared_head())


def recommend(recommender: EnsembleRecommender, text: str, learned: Learned | None = None) -> Recommendation:
    return recommender.recommend(Query(text, detect(text), Hints()), learned or nothing_learned())


def taught(text: str, ratings: list[tuple[Persona, float]]) -> Learned:
    """What one user's rewards for personas on one text have taught."""
    learned = nothing_learned()
    for persona, reward in ratings:
        learned = learn(learned, shared_head().odds(text, Hints()), persona=persona, reward=reward)
    return learned


@given(st.text(max_size=500))
def test_any_text_is_a_unit_vector(text: str) -> None:
    vector = shared_encoder().encode(text)
    assert vector.shape == (DIMENSIONS,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_texts_on_one_topic_lie_closer_than_texts_on_two() -> None:
    encode = shared_encoder().encode
    database, index, meeting = encode("database index"), encode("index of a database table"), encode("회의 일정 잡기")
    assert database @ index > database @ meeting


@pytest.mark.parametrize("name", ["content", "tone", "intent"])
def test_the_shipped_heads_are_what_the_seeds_give(name: str) -> None:
    """At the optimum of a penalised regression, the weights are what its own errors on the seeds add up to."""
    seeds = train_heads.every_seed()[name]
    path = train_heads.weights_of(name)
    head = Head(shared_encoder(), path)
    errors = np.eye(seeds.classes)[seeds.labels] - [odds_of(head.logits(seed)) for seed in seeds.sentences]
    readings = [shared_encoder().read(seed) for seed in seeds.sentences]
    due = train_heads.weights_made_of(readings, errors / train_heads.PENALTY)
    with np.load(path) as shipped:
        assert shipped["by_dimension"] == pytest.approx(due["by_dimension"], abs=0.05)
        assert shipped["by_feature"] == pytest.approx(due["by_feature"], abs=0.005)


def test_every_persona_has_enough_seeds_in_both_languages() -> None:
    folder = ROOT / "src" / "mentor" / "canary" / "seeds"
    for path in folder.iterdir():
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) >= 64
        assert len(set(lines)) == len(lines)
        assert all(line.strip() for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "Which wine goes with grilled salmon?",
        "turn the volume up a little",
        "my phone battery drains in the cold",
        "do penguins have knees",
        "거실 창문 어떻게 닦아",
        "라면 물은 얼마나 넣어",
        "제주도 가는 배편",
    ],
)
def test_what_is_nobodys_topic_gets_little_confidence(recommender: EnsembleRecommender, text: str) -> None:
    assert recommend(recommender, text).confidence < 0.5


def test_the_score_is_40_40_20_of_the_three_terms(recommender: EnsembleRecommender) -> None:
    text = TEXTS[0]
    learned = taught(text, [(Persona.NANA, 1.0), (Persona.ELRO, 0.0)])
    terms = terms_of(shared_head().odds(text, Hints()), learned)
    scores = recommend(recommender, text, learned).scores
    for row, persona in enumerate(PERSONAS):
        blend = 0.4 * terms.collaborative[row] + 0.4 * terms.content[row] + 0.2 * terms.affinity[row]
        assert scores[persona] == pytest.approx(blend)
    assert len({round(float(term[0]), 6) for term in (terms.collaborative, terms.content, terms.affinity)}) > 1


@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.sampled_from(Persona), st.sampled_from([0.0, 0.5, 1.0])), max_size=40),
)
def test_no_term_spreads_five_times_as_wide_as_another_by_itself(
    text: str, ratings: list[tuple[Persona, float]]
) -> None:
    """Before this user's own ratings count: those are meant to pull them apart."""
    learned = Learned(taught(text, ratings).population, nothing_learned().taste)
    spreads = []
    for each in TEXTS:
        terms = terms_of(shared_head().odds(each, Hints()), learned)
        spreads.append([float(np.ptp(term)) for term in (terms.collaborative, terms.content, terms.affinity)])
    widest = np.mean(spreads, axis=0)
    assert widest.max() <= 5 * widest.min()


def test_a_rating_moves_the_persona_at_once_and_no_other_down(recommender: EnsembleRecommender) -> None:
    query = "What do you think about it?"
    before = recommend(recommender, query)
    after = recommend(recommender, query, taught(query, [(Persona.NANA, 1.0), (Persona.LUA, 0.0)]))
    assert after.scores[Persona.NANA] > before.scores[Persona.NANA]
    assert after.scores[Persona.LUA] < before.scores[Persona.LUA]


def test_a_lasting_preference_outweighs_an_ambiguous_text(recommender: EnsembleRecommender) -> None:
    query = "What do you think about it?"
    first = recommend(recommender, query).primary
    other = next(persona for persona in Persona if persona is not first)
    assert recommend(recommender, query, taught(query, [(other, 1.0), (first, 0.0)] * 20)).primary is other


def test_a_hint_leans_towards_who_resonates_with_it() -> None:
    odds = shared_head().odds
    plain = odds("Where do we go from here?", Hints())
    hinted = odds("Where do we go from here?", Hints(tone=Tone.ANXIOUS, intent=Intent.REFLECTION))
    lua, nana = PERSONAS.index(Persona.LUA), PERSONAS.index(Persona.NANA)
    assert hinted[lua] / hinted[nana] > plain[lua] / plain[nana]


def test_before_any_feedback_the_confidence_is_the_odds_of_the_content(recommender: EnsembleRecommender) -> None:
    for text in TEXTS:
        odds = shared_head().odds(text, Hints())
        assert list(recommend(recommender, text).chances.values()) == pytest.approx(odds[: len(PERSONAS)].tolist())


def test_where_users_differ_an_unknown_one_is_recommended_with_less_confidence(
    recommender: EnsembleRecommender,
) -> None:
    text, learned = TEXTS[0], nothing_learned()
    for user in range(60):
        learned = Learned(learned.population, nothing_learned().taste)
        for _ in range(6):
            liked = 1.0 if user % 2 else 0.0
            learned = learn(learned, shared_head().odds(text, Hints()), persona=Persona.ELRO, reward=liked)
    stranger = Learned(learned.population, nothing_learned().taste)
    assert recommend(recommender, text, stranger).confidence < recommend(recommender, text).confidence - 0.1


def test_the_reason_shows_all_terms_and_the_evidence(recommender: EnsembleRecommender) -> None:
    learned = taught(TEXTS[0], [(Persona.ELRO, 1.0), (Persona.ELRO, 0.5), (Persona.LUA, 0.0)])
    terms = terms_of(shared_head().odds(TEXTS[0], Hints()), learned)
    row = PERSONAS.index(Persona.ELRO)
    assert recommend(recommender, TEXTS[0], learned).reasons[Persona.ELRO] == (
        f"Elro (code and architecture): 0.4 × similar users {terms.collaborative[row]:.2f} + 0.4 × content"
        f" {terms.content[row]:.2f} + 0.2 × your affinity {terms.affinity[row]:.2f} = {terms.blend[row]:.2f}"
        " (2 ratings of yours, 3 of all users)"
    )
    korean = recommend(recommender, "커밋을 되돌리려면?", learned).reasons[Persona.ELRO]
    assert korean.startswith("엘로(코드와 아키텍처): 0.4 × 비슷한 사용자 0.")
    assert korean.endswith("(내 평가 2건, 전체 평가 3건)")
