"""What a text is about: the odds of the four personas, and of none of them."""

from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mentor.canary.encoder import Encoder, shared_encoder
from mentor.detection import Hints
from mentor.legacy.resonance_table import RESONANCE
from mentor.personas import Persona

Odds: TypeAlias = NDArray[np.float64]  # one probability for each of CLASSES, adding up to 1

Array: TypeAlias = NDArray[np.floating[Any]]

HINT_WEIGHT: Final = 2.0
LIFT_WEIGHT: Final = 0.5  # of the Fourier features, beside the vector's own length of 1
OUT_OF_SCOPE: Final = "out_of_scope"
OUT_OF_SCOPE_ODDS: Final = 0.5  # from there on a text is taken to mean no persona
CLASSES: Final = (*(persona.value for persona in Persona), OUT_OF_SCOPE)
_WEIGHTS: Final = Path(__file__).with_name("heads.npz")


class ContentHead:
    """A multinomial logistic head over lifted sentence vectors, trained on seed sentences (`tools/train_heads.py`)."""

    def __init__(self, encoder: Encoder, weights: Path = _WEIGHTS) -> None:
        self._encoder = encoder
        with np.load(weights) as arrays:
            self._weights: Array = arrays["weights"].astype(np.float64)
            self._directions: Array = arrays["directions"].astype(np.float64)
            self._phases: Array = arrays["phases"].astype(np.float64)

    def odds(self, text: str, hints: Hints) -> Odds:
        vector = lifted(self._encoder.encode(text), self._directions, self._phases)
        logits = self._weights[:, :-1] @ vector + self._weights[:, -1]
        logits[:-1] += _tilt(hints)
        raised = np.exp(logits - logits.max())
        odds: Odds = raised / raised.sum()
        return odds


def lifted(vectors: Array, directions: Array, phases: Array) -> Array:
    """Sentence vectors with random Fourier features beside them: a linear head may bend (Rahimi and Recht, 2007)."""
    waves = np.cos(vectors @ directions + phases) * (LIFT_WEIGHT * np.sqrt(2 / len(phases)))
    return np.concatenate([vectors, waves], axis=-1)


@cache
def shared_head() -> ContentHead:
    return ContentHead(shared_encoder())


@cache
def _tilt(hints: Hints) -> NDArray[np.float64]:
    """What the caller's own words about tone, pace and intent add to the personas' logits, zero on average."""
    given = [label for label in (hints.tone, hints.pace, hints.intent) if label is not None]
    rows = [[RESONANCE[label][persona] for persona in Persona] for label in given] or [[0.0] * len(Persona)]
    tilt = np.sum(rows, axis=0, dtype=np.float64)
    centred: NDArray[np.float64] = HINT_WEIGHT * (tilt - tilt.mean())
    return centred
