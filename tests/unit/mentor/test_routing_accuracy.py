"""How well the head, trained on seeds of our own, routes texts that others have written."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from mentor.canary.content import shared_head
from mentor.detection import Hints
from mentor.personas import Persona


class Routed(NamedTuple):
    """One row per text: the true persona's place in the ranking (0 is first), and the confidence in the first one."""

    rank: np.ndarray
    confidence: np.ndarray
    persona: np.ndarray


@pytest.fixture(scope="module", params=["en", "ko"])
def routed(request: pytest.FixtureRequest, shared_data: Path) -> Routed:
    rows = []
    for part in ("train", "test"):
        path = shared_data / "routing" / f"{part}_{request.param}.jsonl"
        for line in path.read_text("utf-8").splitlines():
            example = json.loads(line)
            scores = dict(zip(Persona, shared_head().odds(example["text"], Hints()), strict=False))
            ranking = sorted(scores, key=lambda persona: -scores[persona])
            rows.append((ranking.index(Persona(example["label"])), scores[ranking[0]], example["label"]))
    return Routed(*(np.array(column) for column in zip(*rows, strict=True)))


def test_the_first_persona_is_right_for_at_least_85_in_100(routed: Routed) -> None:
    assert np.mean(routed.rank == 0) >= 0.85


def test_no_persona_is_found_in_less_than_seven_tenths_of_its_texts(routed: Routed) -> None:
    for persona in Persona:
        assert np.mean(routed.rank[routed.persona == persona] == 0) >= 0.7


def test_the_right_persona_is_among_the_first_two_for_97_in_100(routed: Routed) -> None:
    assert np.mean(routed.rank < 2) >= 0.97


def test_the_confidence_is_off_by_at_most_a_tenth(routed: Routed) -> None:
    """Expected calibration error over ten bins (Guo et al., On Calibration of Modern Neural Networks, 2017)."""
    error = 0.0
    for low in np.linspace(0, 0.9, 10):
        inside = (routed.confidence > low) & (routed.confidence <= low + 0.1)
        if inside.any():
            error += inside.mean() * abs(routed.confidence[inside].mean() - np.mean(routed.rank[inside] == 0))
    assert error <= 0.10
