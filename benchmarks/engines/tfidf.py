"""What anybody would try first: words and parts of words, weighted by rarity, and a logistic regression on them."""

import importlib.util
import re
from collections import Counter
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from mentor.canary.content import CLASSES
from mentor.personas import Language

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "src" / "mentor" / "canary" / "seeds"


def trainer() -> Any:
    """`tools/train_heads.py`, so that both heads are fitted alike."""
    spec = importlib.util.spec_from_file_location("train_heads", ROOT / "tools" / "train_heads.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _features(text: str) -> Counter[str]:
    tokens = re.findall(r"\w+", text.lower())
    grams = [f" {token} "[start : start + size] for token in tokens for size in (3, 4) for start in range(len(token))]
    return Counter([*tokens, *grams])


@dataclass(frozen=True, slots=True)
class TfIdf:
    columns: dict[str, int]
    rarity: np.ndarray
    weights: np.ndarray

    @classmethod
    def of_seeds(cls) -> "TfIdf":
        lines = [
            (label, line)
            for label, name in enumerate(CLASSES)
            for language in Language
            for line in (SEEDS / f"{name.lower()}.{language}.txt").read_text("utf-8").splitlines()
        ]
        seen = Counter(feature for _, line in lines for feature in set(_features(line)))
        columns = {feature: place for place, feature in enumerate(f for f, count in seen.items() if count >= 2)}
        rarity = np.array([log((1 + len(lines)) / (1 + seen[feature])) + 1 for feature in columns])
        unfitted = cls(columns, rarity, np.zeros(0))
        vectors = np.stack([unfitted.vector(line) for _, line in lines])
        shares = trainer().fit(vectors @ vectors.T + 1, np.array([label for label, _ in lines]), len(CLASSES))
        return cls(columns, rarity, np.c_[shares.T @ vectors, shares.sum(axis=0)])

    def vector(self, text: str) -> np.ndarray:
        vector = np.zeros(len(self.columns))
        for feature, count in _features(text).items():
            if feature in self.columns:
                vector[self.columns[feature]] = log(1 + count)
        vector *= self.rarity
        length = np.linalg.norm(vector)
        return vector / length if length else vector

    def odds(self, text: str) -> np.ndarray:
        logits = self.weights[:, :-1] @ self.vector(text) + self.weights[:, -1]
        raised = np.exp(logits - logits.max())
        return (raised / raised.sum())[:-1]
