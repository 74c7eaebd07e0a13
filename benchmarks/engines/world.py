"""Semi-synthetic users: the texts are real (`../shared/data/routing`), the users' likings are drawn.

P(positive) of a persona = 0.40 + 0.30 where the text is labelled with it + the user's liking + the user's liking for
that persona on texts of that label, kept within 0.02..0.98. Likings come from two latent factors, so that they go
together (`alike`), or are drawn independently for each persona.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mentor.canary.content import shared_head
from mentor.canary.population import nothing_learned
from mentor.detection import Hints, detect
from mentor.legacy.resonance import ResonanceRecommender
from mentor.personas import Persona
from mentor.recommendation import Query

Array = NDArray[np.float64]
PERSONAS = tuple(Persona)
DATA = Path(__file__).parents[3] / "shared" / "data"
LIKING, LIKING_ON_LABEL = 0.28, 0.10


@dataclass(frozen=True, slots=True)
class Text:
    odds: Array
    label: int
    rule: int  # whom Phase 3 recommends


def texts(part: str) -> list[Text]:
    """The labelled texts of one part (`train` or `test`) in both languages, as the engines see them."""
    lines = [line for lang in ("en", "ko") for line in (DATA / f"routing/{part}_{lang}.jsonl").open(encoding="utf-8")]
    head, phase3 = shared_head(), ResonanceRecommender()
    found = []
    for example in map(json.loads, lines):
        query = Query(example["text"], detect(example["text"]), Hints())
        rule = phase3.recommend(query, nothing_learned()).primary
        odds = head.odds(query.text, query.hints)
        found.append(Text(odds, PERSONAS.index(Persona(example["label"])), PERSONAS.index(rule)))
    return found


class World:
    def __init__(self, seed: int, *, users: int, alike: bool) -> None:
        rng = np.random.default_rng(seed)
        if alike:
            loadings = rng.normal(size=(4, 2))
            loadings /= np.linalg.norm(loadings, axis=1, keepdims=True)
            self._liking = LIKING * rng.normal(size=(users, 2)) @ loadings.T
        else:
            self._liking = LIKING * rng.normal(size=(users, 4))
        self._on_label = LIKING_ON_LABEL * rng.normal(size=(users, 4, 4))

    def positive(self, user: int, label: int) -> Array:
        """P(positive feedback) of each persona."""
        base = np.full(4, 0.40)
        base[label] += 0.30
        liked: Array = np.clip(base + self._liking[user] + self._on_label[user, :, label], 0.02, 0.98)
        return liked
