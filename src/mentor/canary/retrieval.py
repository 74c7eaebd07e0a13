"""Finding the old turns that a message is about: by meaning, by words and parts of words, and by their neighbours."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mentor.canary.encoder import FEATURES, Encoder, Features, Vector

_MEANING: Final = 1.0
_WORDS: Final = 1.0
_NEIGHBOUR: Final = (0.9, 0.8)  # what a turn inherits from the one beside it, and from the next but one
_REMEMBERED: Final = 8192


class Retriever:
    """Keeps the features of the latest texts, so that a conversation's turns are encoded once per process."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._encoded = lru_cache(maxsize=_REMEMBERED)(self._encode)

    def relevance(self, message: str, texts: Sequence[str]) -> NDArray[np.floating]:
        """How much each of `texts`, which follow one another, has to do with `message`: higher is more."""
        if not texts:
            return np.zeros(0)
        words, meaning = self._encode(message)
        asked = np.zeros(FEATURES, dtype=np.float32)
        asked[words.indices] = words.weights
        encoded = [self._encoded(text) for text in texts]
        shared = np.array([float(asked[each.indices] @ each.weights) for each, _ in encoded])
        alike = np.stack([vector for _, vector in encoded]) @ meaning
        return _with_neighbours(_WORDS * shared + _MEANING * alike)

    def _encode(self, text: str) -> tuple[Features, Vector]:
        features = self._encoder.features(text)
        return features, self._encoder.project(features)


def _with_neighbours(relevance: NDArray[np.floating]) -> NDArray[np.floating]:
    """An answer often stands beside the turn that names its topic."""
    best = relevance.copy()
    for distance, share in enumerate(_NEIGHBOUR, start=1):
        best[distance:] = np.maximum(best[distance:], share * relevance[:-distance])
        best[:-distance] = np.maximum(best[:-distance], share * relevance[distance:])
    return best
