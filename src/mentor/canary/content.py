"""What a text is about: the odds of the four personas, and of none of them."""

from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mentor.canary.encoder import Encoder, shared_encoder
from mentor.detection import Hints
from mentor.head import Head, odds_of
from mentor.legacy.resonance_table import RESONANCE
from mentor.personas import Persona

Odds: TypeAlias = NDArray[np.float64]  # one probability for each of CLASSES, adding up to 1

HINT_WEIGHT: Final = 2.0
NEVER_CERTAIN: Final = 0.005  # of the odds are spread evenly, whatever the words say
OUT_OF_SCOPE: Final = "out_of_scope"
OUT_OF_SCOPE_ODDS: Final = 0.5  # from there on a text is taken to mean no persona
CLASSES: Final = (*(persona.value for persona in Persona), OUT_OF_SCOPE)
_WEIGHTS: Final = Path(__file__).with_name("content_head.npz")


class ContentHead:
    def __init__(self, encoder: Encoder, weights: Path = _WEIGHTS) -> None:
        self._head = Head(encoder, weights)

    def odds(self, text: str, hints: Hints) -> Odds:
        logits = self._head.logits(text)
        logits[:-1] += _tilt(hints)
        return (1 - NEVER_CERTAIN) * odds_of(logits) + NEVER_CERTAIN / len(CLASSES)


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
