"""What each way of choosing a persona earns: mean P(positive) over 10,000 answers to 200 users, in six worlds.

Run: `python -m benchmarks.engines.simulator` (half a minute)
"""

import sys
from collections.abc import Callable

import numpy as np
from benchmarks.engines.contenders import EXPLORATION, Contender, Content, Ensemble, LinUCB, Naive, Oracle, Rule
from benchmarks.engines.world import Text, World, texts
from benchmarks.timing import Goal, report

USERS, ANSWERS, WORLDS = 200, 10_000, 3
CONTENDERS: dict[str, Callable[[World], Contender]] = {
    "Phase 3 rule": lambda _: Rule(),
    "content alone": lambda _: Content(),
    "naive 40/40/20": lambda _: Naive(),
    "LinUCB": lambda _: LinUCB(),
    "ensemble": lambda _: Ensemble(),
    "oracle": Oracle,
}


def play(contender: Contender, world: World, known: list[Text], seed: int) -> float:
    rng = np.random.default_rng(seed)
    earned = 0.0
    for _ in range(ANSWERS):
        user, text = int(rng.integers(USERS)), known[int(rng.integers(len(known)))]
        positive = world.positive(user, text.label)
        choice = int(np.argmax(contender.scores(user, text)))
        if contender.explores and rng.random() < EXPLORATION:
            choice = int(rng.integers(4))
        earned += positive[choice]
        contender.learn(user, text, choice, float(rng.random() < positive[choice]))
    return earned / ANSWERS


def calibration_error(world: World, known: list[Text], seed: int) -> float:
    """Expected calibration error of the ensemble's confidence, against the truth, over the second half."""
    rng = np.random.default_rng(seed)
    ensemble, claims = Ensemble(), []
    for number in range(ANSWERS):
        user, text = int(rng.integers(USERS)), known[int(rng.integers(len(known)))]
        positive, chance = world.positive(user, text.label), ensemble.chances(user, text)
        choice = int(np.argmax(ensemble.scores(user, text)))
        if number >= ANSWERS / 2:
            claims.append((chance[choice], choice == int(np.argmax(positive))))
        ensemble.learn(user, text, choice, float(rng.random() < positive[choice]))
    return expected_calibration_error(np.array(claims))


def expected_calibration_error(claims: np.ndarray) -> float:
    """Over ten bins; rows of (claimed probability, whether it was so). Guo et al., 2017."""
    bins = np.minimum((claims[:, 0] * 10).astype(int), 9)
    inside = [claims[bins == each] for each in range(10) if (bins == each).any()]
    return float(sum(len(rows) / len(claims) * abs(np.diff(rows.mean(axis=0))[0]) for rows in inside))


def main() -> int:
    known = texts("train")
    goals = []
    for alike in (True, False):
        worlds = [World(seed, users=USERS, alike=alike) for seed in range(WORLDS)]
        print(f"\nlikings that {'go together' if alike else 'are independent'}")
        earned = {
            name: float(np.mean([play(make(world), world, known, seed) for seed, world in enumerate(worlds)]))
            for name, make in CONTENDERS.items()
        }
        for name, reward in earned.items():
            print(f"  {name:16} {reward:.3f}   {reward / earned['ensemble']:.2f} x the ensemble")
        error = calibration_error(worlds[0], known, 0)
        print(f"  calibration error of the confidence {error:.3f}")
        goals += [
            Goal("the naive blend, times the ensemble", earned["naive 40/40/20"] / earned["ensemble"], 0.95),
            Goal("LinUCB, times the ensemble", earned["LinUCB"] / earned["ensemble"], 1.0),
            Goal("calibration error after feedback", error, 0.10),
        ]
    return report(goals)


if __name__ == "__main__":
    sys.exit(main())
