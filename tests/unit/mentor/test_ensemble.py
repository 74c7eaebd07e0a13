"""Phase 4's scoring: what the text is about, and what the user's ratings taught."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor.canary.encoder import DIMENSIONS, shared_encoder
from mentor.canary.ensemble import PRIOR_RATINGS, EnsembleRecommender, affinity_offset, learn
from mentor.detection import Hints, Intent, Tone, detect
from mentor.personas import Persona
from mentor.recommendation import Affinities, Affinity, Query, Recommendation

ROOT = Path(__file__).parents[3]
rewards = st.floats(0, 1)


@pytest.fixture(scope="module")
def recommender() -> EnsembleRecommender:
    return EnsembleRecommender(shared_encoder())


def recommend(recommender: EnsembleRecommender, text: str, affinities: Affinities | None = None) -> Recommendation:
    return recommender.recommend(Query(text, detect(text), Hints()), affinities or {})


@given(st.text(max_size=500))
def test_any_text_is_a_unit_vector(text: str) -> None:
    vector = shared_encoder().encode(text)
    assert vector.shape == (DIMENSIONS,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_texts_on_one_topic_lie_closer_than_texts_on_two() -> None:
    encode = shared_encoder().encode
    database, index, meeting = encode("database index"), encode("index of a database table"), encode("회의 일정 잡기")
    assert database @ index > database @ meeting


def test_the_shipped_head_is_what_the_seeds_give() -> None:
    spec = importlib.util.spec_from_file_location("train_heads", ROOT / "tools" / "train_heads.py")
    assert spec is not None
    assert spec.loader is not None
    train_heads = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train_heads)
    trained = train_heads.fit(*train_heads.read_seeds(train_heads.CANARY / "seeds"))
    with np.load(train_heads.CANARY / "heads.npz") as shipped:
        assert shipped["weights"] == pytest.approx(trained, abs=1e-3)


def test_every_persona_has_enough_seeds_in_both_languages() -> None:
    folder = ROOT / "src" / "mentor" / "canary" / "seeds"
    for path in folder.iterdir():
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) >= 64
        assert len(set(lines)) == len(lines)
        assert all(line.strip() for line in lines)


def test_without_ratings_the_score_is_the_content(recommender: EnsembleRecommender) -> None:
    made = recommend(recommender, "How do I undo a commit?")
    assert made.scores == made.expected
    assert made.primary is Persona.ELRO


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


def test_one_rating_moves_the_persona_at_once(recommender: EnsembleRecommender) -> None:
    query = "What do you think about it?"
    before = recommend(recommender, query)
    liked = learn(Affinity(), reward=1.0, expected=before.expected[Persona.NANA])
    disliked = learn(Affinity(), reward=0.0, expected=before.expected[Persona.LUA])
    after = recommend(recommender, query, {Persona.NANA: liked, Persona.LUA: disliked})
    assert after.scores[Persona.NANA] > before.scores[Persona.NANA]
    assert after.scores[Persona.LUA] < before.scores[Persona.LUA]
    assert after.scores[Persona.RIRI] == before.scores[Persona.RIRI]


def test_lasting_preference_outweighs_an_ambiguous_text(recommender: EnsembleRecommender) -> None:
    query = "What do you think about it?"
    first = recommend(recommender, query).primary
    other = next(persona for persona in Persona if persona is not first)
    liked, disliked = Affinity(), Affinity()
    for _ in range(40):
        liked = learn(liked, reward=1.0, expected=0.2)
        disliked = learn(disliked, reward=0.0, expected=0.6)
    assert recommend(recommender, query, {other: liked, first: disliked}).primary is other


@given(st.lists(st.tuples(rewards, rewards), max_size=60))
def test_an_affinity_never_exceeds_what_its_ratings_support(history: list[tuple[float, float]]) -> None:
    affinity = Affinity()
    for reward, expected in history:
        affinity = learn(affinity, reward=reward, expected=expected)
    assert abs(affinity_offset(affinity)) <= len(history) / (len(history) + PRIOR_RATINGS) + 1e-9


@given(st.integers(1, 30), rewards, rewards)
def test_a_better_rating_never_lowers_the_affinity(ratings: int, one: float, other: float) -> None:
    known = Affinity(0.1, ratings)
    low, high = sorted((one, other))
    worse, better = (learn(known, reward=reward, expected=0.5) for reward in (low, high))
    assert affinity_offset(worse) <= affinity_offset(better)


def test_a_hint_leans_towards_who_resonates_with_it(recommender: EnsembleRecommender) -> None:
    plain = recommender.content("Where do we go from here?", Hints())
    hinted = recommender.content("Where do we go from here?", Hints(tone=Tone.ANXIOUS, intent=Intent.REFLECTION))
    assert hinted[Persona.LUA] / hinted[Persona.NANA] > plain[Persona.LUA] / plain[Persona.NANA]


def test_the_reason_shows_both_terms_and_the_evidence(recommender: EnsembleRecommender) -> None:
    affinity = {Persona.ELRO: Affinity(residual_sum=0.9, ratings=3)}
    english = recommend(recommender, "How do I undo a commit?", affinity).reasons[Persona.ELRO]
    assert english.startswith("Elro (code and architecture): content 0.")
    assert english.endswith("your affinity +0.05 (3 ratings)")
    korean = recommend(recommender, "커밋을 되돌리려면?", affinity).reasons[Persona.ELRO]
    assert korean.startswith("엘로(코드와 아키텍처): 내용 0.")
    assert korean.endswith("내 선호 +0.05 (평가 3건)")
