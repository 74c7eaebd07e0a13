"""How requests are taken that different people might write: to whom they go, and what is heard in them."""

import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from mentor.canary.content import shared_head
from mentor.detection import Hints, detect
from mentor.personas import Language, Persona

REQUESTS = tomllib.loads(Path(__file__).with_name("requests.toml").read_text("utf-8"))


class Request(NamedTuple):
    text: str
    persona: Persona
    labels: list[str]


def requests(language: Language) -> list[Request]:
    return [
        Request(text, Persona(persona), labels.split())
        for persona, texts in REQUESTS.items()
        for text, _, labels in (line.partition(" || ") for line in texts[language].strip().splitlines())
    ]


@pytest.mark.parametrize("language", Language)
def test_five_of_six_go_to_the_right_persona_and_nearly_all_to_the_first_two(language: Language) -> None:
    ranks = []
    for request in requests(language):
        odds = dict(zip(Persona, shared_head().odds(request.text, Hints()), strict=False))
        ranks.append(sorted(odds, key=lambda persona: -odds[persona]).index(request.persona))
    assert len(ranks) == 120
    assert np.mean(np.array(ranks) == 0) >= 0.84
    assert np.mean(np.array(ranks) < 2) >= 0.95


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("place", "kind", "least"), [(0, "tone", 0.6), (1, "pace", 0.9), (2, "intent", 0.65)])
def test_tone_pace_and_intent_are_mostly_heard_and_each_is_reached(
    language: Language, place: int, kind: str, least: float
) -> None:
    labelled = [request for request in requests(language) if request.labels]
    meant = [request.labels[place] for request in labelled]
    heard = [getattr(detect(request.text), kind).value for request in labelled]
    assert np.mean(np.array(meant) == np.array(heard)) >= least
    assert {label for label, found in zip(meant, heard, strict=True) if label == found} == set(meant)
