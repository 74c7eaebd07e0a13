"""Now and then another persona comes first, and its probability is on record."""

import random
from collections import Counter

import pytest

from mentor.exploration import NO_EXPLORATION, Exploration
from mentor.personas import Persona
from mentor.recommendation import Recommendation

SCORES = {Persona.LUA: 0.2, Persona.ELRO: 0.9, Persona.RIRI: 0.5, Persona.NANA: 0.4}
MADE = Recommendation(scores=SCORES, chances=SCORES, expected=SCORES, reasons=dict.fromkeys(Persona, ""))


def test_personas_come_first_as_often_as_their_propensities_say() -> None:
    exploration = Exploration(0.4, random.Random(7).random)
    shown = [exploration.show(MADE) for _ in range(20_000)]
    counts = Counter(each.persona for each in shown)
    assert shown[0].propensities == pytest.approx({**dict.fromkeys(Persona, 0.1), Persona.ELRO: 0.7})
    for persona, propensity in shown[0].propensities.items():
        assert counts[persona] / len(shown) == pytest.approx(propensity, abs=0.01)
    assert {each.explored for each in shown if each.persona is Persona.ELRO} == {False}
    assert {each.explored for each in shown if each.persona is Persona.LUA} == {True}


def test_the_others_follow_best_first() -> None:
    exploration = Exploration(0.5, iter([0.0, 0.99, 0.99]).__next__)
    assert exploration.show(MADE).ranking == [Persona.NANA, Persona.ELRO, Persona.RIRI, Persona.LUA]
    assert exploration.show(MADE).ranking == [Persona.ELRO, Persona.RIRI, Persona.NANA, Persona.LUA]


def test_without_exploration_the_best_comes_first_for_certain() -> None:
    shown = NO_EXPLORATION.show(MADE)
    assert (shown.persona, shown.explored) == (Persona.ELRO, False)
    assert shown.propensities == {**dict.fromkeys(Persona, 0.0), Persona.ELRO: 1.0}
