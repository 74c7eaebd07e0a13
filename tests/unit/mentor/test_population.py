"""What feedback teaches about everybody, and about one user."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor.canary.content import CLASSES, Odds
from mentor.canary.population import (
    PERSONAS,
    PRIOR_RATINGS,
    Learned,
    Population,
    Residuals,
    Taste,
    cell_of,
    learn,
    nothing_learned,
)
from mentor.personas import Persona

LUA, ELRO, NANA = (PERSONAS.index(persona) for persona in (Persona.LUA, Persona.ELRO, Persona.NANA))
rewards = st.floats(0, 1)
given_ratings = st.lists(
    st.tuples(st.sampled_from(Persona), st.sampled_from(range(len(CLASSES))), rewards), max_size=40
)


def odds_of(cell: int) -> Odds:
    odds = np.full(len(CLASSES), 0.1)
    odds[cell] = 0.6
    return odds


def after(ratings: list[tuple[Persona, int, float]], learned: Learned | None = None) -> Learned:
    learned = learned or nothing_learned()
    for persona, cell, reward in ratings:
        learned = learn(learned, odds_of(cell), persona=persona, reward=reward)
    return learned


def stranger(learned: Learned) -> Learned:
    """The same population, and a user who has rated nothing."""
    return Learned(learned.population, Taste())


def test_an_unknown_user_is_given_the_populations_rates() -> None:
    learned = stranger(after([(Persona.LUA, ELRO, 1.0)] * 30))
    rates = learned.population.rates(ELRO)
    assert learned.population.collaborative(learned.taste, ELRO).tolist() == rates.tolist()
    assert learned.population.affinity(learned.taste, ELRO).tolist() == rates.tolist()


def test_what_others_rated_well_becomes_likelier_for_a_stranger_on_such_texts_only() -> None:
    before = nothing_learned().population
    learned, one_fan = nothing_learned(), after([(Persona.LUA, ELRO, 1.0)] * 30)
    for _ in range(30):
        learned = after([(Persona.LUA, ELRO, 1.0)], stranger(learned))
    assert learned.population.rates(ELRO)[LUA] > before.rates(ELRO)[LUA] + 0.2
    assert learned.population.rates(NANA).tolist() == before.rates(NANA).tolist()
    assert one_fan.population.rates(ELRO)[LUA] < learned.population.rates(ELRO)[LUA] - 0.1  # one's liking is not all's


def test_users_who_like_the_same_tell_each_others_next_liking() -> None:
    """Half of the users like Lua and dislike Elro, half the other way round: one rating of Lua says what to expect."""
    learned = nothing_learned()
    for user in range(300):
        liking, other = (1.0, 0.0) if user % 2 else (0.0, 1.0)
        learned = after([(Persona.LUA, NANA, liking), (Persona.ELRO, NANA, other)] * 4, stranger(learned))
    fan = after([(Persona.LUA, NANA, 1.0)] * 4, stranger(learned))
    critic = after([(Persona.LUA, NANA, 0.0)] * 4, stranger(learned))
    for_fan, for_critic = (each.population.collaborative(each.taste, NANA) for each in (fan, critic))
    assert for_fan[ELRO] < for_critic[ELRO] - 0.1
    nobody = after([(Persona.LUA, NANA, 1.0)] * 4)
    unlearnt = nobody.population.collaborative(nobody.taste, NANA)[ELRO]
    assert unlearnt == pytest.approx(float(nobody.population.rates(NANA)[ELRO]), abs=0.05)


def test_the_content_line_follows_what_the_odds_are_worth() -> None:
    rng = np.random.default_rng(1)
    learned = nothing_learned()
    for odd in rng.random(2_000):
        odds = np.full(len(CLASSES), (1 - odd) / 4)
        odds[LUA] = odd
        learned = learn(stranger(learned), odds, persona=Persona.LUA, reward=float(rng.random() < 0.2 + 0.7 * odd))
    for odd in (0.1, 0.5, 0.9):
        assert learned.population.content(np.array([odd, 0, 0, 0, 1 - odd]))[LUA] == pytest.approx(
            0.2 + 0.7 * odd, abs=0.06
        )


@given(given_ratings)
def test_a_population_survives_being_stored(ratings: list[tuple[Persona, int, float]]) -> None:
    population = after(ratings).population
    kept = json.loads(json.dumps(population.to_json()))
    assert json.dumps(Population.from_json(kept).to_json()) == json.dumps(kept)
    assert np.array_equal(Population.from_json(kept).content(odds_of(2)), population.content(odds_of(2)))


@given(given_ratings, st.randoms(use_true_random=False))
def test_a_users_place_does_not_depend_on_the_order_of_their_ratings(
    ratings: list[tuple[Persona, int, float]], rng: object
) -> None:
    residuals = [(persona, CLASSES[cell], reward - 0.5) for persona, cell, reward in ratings]
    population, one, other = Population.prior(), Taste(), Taste()
    for persona, cell, residual in residuals:
        one = one.after(persona, cell, residual)
    for persona, cell, residual in reversed(residuals):
        other = other.after(persona, cell, residual)
    assert population.place(one) == pytest.approx(population.place(other), abs=1e-9)


@given(st.lists(rewards, max_size=60))
def test_an_affinity_never_exceeds_what_its_ratings_support(history: list[float]) -> None:
    taste = Taste()
    for reward in history:
        taste = taste.after(Persona.RIRI, CLASSES[0], reward)
    row = PERSONAS.index(Persona.RIRI)
    offset = Population.prior().affinity(taste, 0)[row] - Population.prior().rates(0)[row]
    assert 0 <= offset <= len(history) / (len(history) + PRIOR_RATINGS) + 1e-9


@given(st.integers(1, 30), rewards, rewards)
def test_a_better_rating_never_lowers_any_term_for_that_persona(ratings: int, one: float, other: float) -> None:
    known = after([(Persona.ELRO, NANA, 0.5)] * ratings)
    worse, better = (after([(Persona.ELRO, NANA, reward)], known) for reward in sorted((one, other)))
    for term in ("affinity", "collaborative"):
        low, high = (getattr(each.population, term)(each.taste, NANA)[ELRO] for each in (worse, better))
        assert low <= high + 1e-9


def test_users_who_all_rate_alike_do_not_differ_and_users_who_do_not_do() -> None:
    alike, apart = nothing_learned(), nothing_learned()
    for user in range(100):
        alike = after([(Persona.LUA, LUA, reward) for reward in (1.0, 0.0, 1.0, 0.0)], stranger(alike))
        apart = after([(Persona.LUA, LUA, float(user % 2))] * 4, stranger(apart))
    assert alike.population.liking_variance < 0.01
    assert apart.population.liking_variance > 0.1


def test_old_ratings_fade_from_the_affinity() -> None:
    assert Residuals(10.0, 20.0).faded(1.0) == Residuals(10.98, 20.96)


def test_the_cell_of_a_text_is_its_likeliest_class() -> None:
    assert CLASSES[cell_of(odds_of(NANA))] == "Nana"
    assert CLASSES[cell_of(odds_of(4))] == "out_of_scope"
