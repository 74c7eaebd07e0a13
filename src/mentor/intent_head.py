"""What a text wants where no cue says so: a head over sentence vectors, trained on `intent_seeds.toml`.

`tools/train_heads.py` trains it.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mentor.canary.encoder import shared_encoder

Logits = NDArray[np.float64]

_WEIGHTS: Final = Path(__file__).with_name("intent_head.npz")


def logits(text: str) -> Logits:
    """One number for each intent, in the order of its enum."""
    weights = _weights()
    found: Logits = weights[:, :-1] @ shared_encoder().encode(text) + weights[:, -1]
    return found


@cache
def _weights() -> NDArray[np.float64]:
    with np.load(_WEIGHTS) as arrays:
        weights: NDArray[np.float64] = arrays["weights"].astype(np.float64)
    return weights
