"""What the engines make of texts in the styles of sources that no seed and no cue comes from."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from mentor.canary.content import shared_head
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


@pytest.mark.parametrize("language", Language)
def test_what_is_out_of_scope_is_recommended_with_little_confidence(language: Language) -> None:
    texts = held(STYLES["out_of_scope"], language)
    assert np.mean([shared_head().odds(text, Hints())[: len(Persona)].max() for text in texts]) <= 0.35


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("kind", "least"), [("tone", 0.46), ("intent", 0.75), ("pace", 0.4)])
def test_tone_intent_and_pace_are_mostly_heard_though_no_cue_was_written_for_them(
    language: Language, kind: str, least: float
) -> None:
    assert set(LABELS[kind]) == set(KINDS[kind])
    heard = [
        getattr(detect(text), kind) == label for label, texts in LABELS[kind].items() for text in held(texts, language)
    ]
    assert np.mean(heard) >= least


def test_no_seed_is_one_of_these_texts() -> None:
    mentor = Path(__file__).parents[3] / "src" / "mentor"
    files = [*(mentor / "canary" / "seeds").iterdir(), mentor / "tone_seeds.toml", mentor / "intent_seeds.toml"]
    seeds = {line for path in files for line in path.read_text("utf-8").splitlines()} - {""}
    texts = {
        line
        for group in (STYLES, *LABELS.values())
        for by_language in group.values()
        for text in by_language.values()
        for line in text.strip().splitlines()
    }
    assert len(texts) > 1000
    assert not seeds & texts
