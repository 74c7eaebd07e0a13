"""What a text most likely is, of a few labels: a linear head over what the encoder reads of it.

Trained on seed sentences by `tools/train_heads.py`. The sentence's vector knows what it resembles; beside it stand the
encoder's features themselves, the words and their parts, which know what was said.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mentor.canary.encoder import Encoder

Logits = NDArray[np.float64]

FEATURE_WEIGHT: Final = 6.0  # of the features' inner product, beside the vectors' own of at most 1


class Head:
    """`weights` holds one number for each label by dimension, by feature and alone."""

    def __init__(self, encoder: Encoder, weights: Path) -> None:
        self._encoder = encoder
        with np.load(weights) as arrays:
            self._by_dimension = arrays["by_dimension"].astype(np.float32)
            self._by_feature = arrays["by_feature"].astype(np.float32)
            self._intercept = arrays["intercept"].astype(np.float64)

    def logits(self, text: str) -> Logits:
        """In the labels' order."""
        read = self._encoder.read(text)
        seen = read.features.weights @ self._by_feature.take(read.features.indices, axis=0)
        found: Logits = read.vector @ self._by_dimension + FEATURE_WEIGHT * seen + self._intercept
        return found


def odds_of(logits: Logits) -> Logits:
    """Probabilities, adding up to 1."""
    raised = np.exp(logits - logits.max())
    odds: Logits = raised / raised.sum()
    return odds
