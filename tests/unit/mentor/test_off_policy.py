"""What another way of choosing would have earned, held against what it does earn."""

from dataclasses import replace

import numpy as np
import pytest

from mentor.off_policy import LEAST_EFFECTIVE_SAMPLE, Estimate, RatedAnswer, as_shown, evaluate
from mentor.personas import Persona

PERSONAS = tuple(Persona)
TRUTH = {Persona.LUA: 0.35, Persona.ELRO: 0.6, Persona.RIRI: 0.5, Persona.NANA: 0.75}


def logged(seed: int, *, count: int, exploration: float, users: int = 400, shift: float = 0.0) -> list[RatedAnswer]:
    """Elro is thought best and shown; users lie 0.15 apart; predictions are wrong by `shift`."""
    rng = np.random.default_rng(seed)
    leaning = 0.15 * rng.standard_normal(users)
    propensities = dict.fromkeys(Persona, exploration / 4) | {Persona.ELRO: 1 - 0.75 * exploration}
    answers = []
    for _ in range(count):
        user = int(rng.integers(users))
        shown = PERSONAS[rng.choice(4, p=list(propensities.values()))]
        reward = float(rng.random() < TRUTH[shown] + leaning[user])
        expected = {persona: truth + shift for persona, truth in TRUTH.items()}
        answers.append(RatedAnswer(f"user-{user}", shown, propensities, expected, reward))
    return answers


def always(persona: Persona, answers: list[RatedAnswer]) -> Estimate:
    return evaluate(answers, [persona] * len(answers))


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.2])
@pytest.mark.parametrize("method", ["snips", "doubly_robust"])
def test_the_interval_covers_the_truth_as_often_as_it_says_even_with_wrong_predictions(
    method: str, shift: float
) -> None:
    covered = 0
    for seed in range(150):
        answers = logged(seed, count=1_500, exploration=0.8, shift=shift)
        interval = getattr(always(Persona.NANA, answers), method)
        covered += interval.low <= TRUTH[Persona.NANA] <= interval.high
    assert 0.90 <= covered / 150 <= 0.99


def test_a_better_choice_is_told_from_a_worse_one() -> None:
    answers = logged(1, count=8_000, exploration=0.5)
    better, worse = (always(persona, answers).doubly_robust for persona in (Persona.NANA, Persona.LUA))
    assert better is not None
    assert worse is not None
    assert better.low > worse.high


def test_a_few_users_who_rate_much_are_no_thousand_users() -> None:
    answers = logged(3, count=2_000, exploration=0.6, users=8)
    apart = [replace(answer, user_id=str(number)) for number, answer in enumerate(answers)]
    few, many = (always(Persona.ELRO, each).snips for each in (answers, apart))
    assert few is not None
    assert many is not None
    assert few.value == many.value
    assert few.high - few.low > 1.3 * (many.high - many.low)


def test_nothing_is_said_below_an_effective_sample_of_two_hundred() -> None:
    answers = logged(4, count=2_000, exploration=0.02)
    estimate = always(Persona.NANA, answers)
    assert estimate.effective_sample < LEAST_EFFECTIVE_SAMPLE
    assert (estimate.snips, estimate.doubly_robust) == (None, None)
    assert always(Persona.ELRO, answers).snips is not None


def test_equal_weights_are_the_number_of_the_matching_answers() -> None:
    answers = logged(5, count=3_000, exploration=0.5)
    matching = sum(answer.shown is Persona.NANA for answer in answers)
    assert always(Persona.NANA, answers).effective_sample == pytest.approx(matching)


def test_as_shown_is_the_plain_mean() -> None:
    answers = logged(6, count=500, exploration=0.1)
    assert as_shown(answers).value == pytest.approx(np.mean([answer.reward for answer in answers]))
    assert as_shown(answers).low < as_shown(answers).value < as_shown(answers).high
