"""What the engines make of texts in the styles of sources that no seed and no cue comes from."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from mentor.canary.content import shared_head
from mentor.canary.encoder import FEATURES, shared_encoder
from mentor.detection import Hints, Intent, Pace, Tone, detect
from mentor.personas import Language, Persona

STYLES = tomllib.loads(Path(__file__).with_name("other_styles.toml").read_text("utf-8"))
LABELS = tomllib.loads(Path(__file__).with_name("other_tones.toml").read_text("utf-8"))
KINDS = {"tone": Tone, "intent": Intent, "pace": Pace}


def held(texts: dict[str, str], language: Language) -> list[str]:
    """Every second line: nobody looked at what the engines say of these."""
    return texts[language].strip().splitlines()[1::2]


@pytest.mark.parametrize("language", Language)
def test_most_texts_go_to_the_right_persona_and_nearly_all_to_the_first_two(language: Language) -> None:
    ranks, claims = [], []
    for persona in Persona:
        for text in held(STYLES[persona], language):
            odds = shared_head().odds(text, Hints())[: len(Persona)]
            ranks.append(int((odds > odds[list(Persona).index(persona)]).sum()))
            claims.append(float(odds.max()))
    right = np.array(ranks) == 0
    assert len(ranks) == 120
    assert right.mean() >= 0.85
    assert np.mean(np.array(ranks) < 2) >= 0.94
    assert abs(right.mean() - np.mean(claims)) <= 0.10


FRAMES = {
    Language.EN: "Hi there, hope you are well. I have a question for you. {} Thank you so much in advance!",
    Language.KO: "안녕하세요, 처음 글 올립니다. 질문이 하나 있어요. {} 답변 부탁드립니다. 감사합니다.",
}


@pytest.mark.parametrize("language", Language)
def test_a_greeting_and_thanks_around_a_text_hardly_change_who_it_goes_to(language: Language) -> None:
    firsts = [
        int(shared_head().odds(FRAMES[language].format(text), Hints())[: len(Persona)].argmax()) == place
        for place, persona in enumerate(Persona)
        for text in held(STYLES[persona], language)
    ]
    assert np.mean(firsts) >= 0.8


@pytest.mark.parametrize("language", Language)
def test_what_is_out_of_scope_is_recommended_with_little_confidence(language: Language) -> None:
    texts = held(STYLES["out_of_scope"], language)
    assert np.mean([shared_head().odds(text, Hints())[: len(Persona)].max() for text in texts]) <= 0.35


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("kind", "least"), [("tone", 0.48), ("intent", 0.75), ("pace", 0.85)])
def test_tone_intent_and_pace_are_mostly_heard_though_no_cue_was_written_for_them(
    language: Language, kind: str, least: float
) -> None:
    assert set(LABELS[kind]) == set(KINDS[kind])
    heard = [
        getattr(detect(text), kind) == label for label, texts in LABELS[kind].items() for text in held(texts, language)
    ]
    assert np.mean(heard) >= least


def test_no_seed_says_much_the_same_as_a_held_text() -> None:
    mentor = Path(__file__).parents[3] / "src" / "mentor"
    lines = [line for path in (mentor / "canary" / "seeds").iterdir() for line in path.read_text("utf-8").splitlines()]
    assert likeness(lines, [held(texts, lang) for texts in STYLES.values() for lang in Language]) < 0.5
    for kind in ("tone", "intent"):
        seeds = tomllib.loads((mentor / f"{kind}_seeds.toml").read_text("utf-8"))
        lines = [line for texts in seeds.values() for text in texts.values() for line in text.strip().splitlines()]
        assert likeness(lines, [held(texts, lang) for texts in LABELS[kind].values() for lang in Language]) < 0.5


def likeness(seeds: list[str], texts: list[list[str]]) -> float:
    """The greatest cosine between the words, and parts of words, of a seed and of a text."""
    asked = np.zeros((sum(map(len, texts)), FEATURES), dtype=np.float32)
    for row, text in zip(asked, (line for group in texts for line in group), strict=True):
        features = shared_encoder().features(text)
        row[features.indices] = features.weights
    found = (shared_encoder().features(seed) for seed in seeds)
    return max(float((asked[:, each.indices] @ each.weights).max()) for each in found)
