"""Train mentor's heads from its seed sentences: `python tools/train_heads.py` writes three files of weights."""

import sys
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mentor.canary.content import CLASSES
from mentor.canary.encoder import FEATURES, Reading, shared_encoder
from mentor.detection import Intent, Tone, language_of
from mentor.head import FEATURE_WEIGHT
from mentor.personas import Language

MENTOR = Path(__file__).parents[1] / "src" / "mentor"
PENALTY = 0.2  # best calibrated; accuracy is flat from 0.15 to 0.6
INTERCEPT = 10.0  # the constant input: its weight is hardly penalised
STEPS, CLOSE_ENOUGH = 600, 1e-5
FRAMED_EVERY, JOINED_EVERY = 4, 8
BLOCK = 4096  # features at a time: all of them at once would be half a gigabyte

Array = NDArray[np.float64]


class Seeds(NamedTuple):
    sentences: list[str]
    labels: list[int]
    classes: int


def main() -> None:
    for name, seeds in every_seed().items():
        path = weights_of(name)
        np.savez_compressed(path, **trained(seeds))
        sys.stdout.write(f"{len(seeds.labels)} seeds, {seeds.classes} classes: {path}\n")


def every_seed() -> dict[str, Seeds]:
    return {
        "content": _by_class(MENTOR / "canary" / "seeds"),
        "tone": _by_label(MENTOR / "tone_seeds.toml", Tone),
        "intent": _by_label(MENTOR / "intent_seeds.toml", Intent),
    }


def weights_of(name: str) -> Path:
    return (MENTOR / "canary" if name == "content" else MENTOR) / f"{name}_head.npz"


def trained(seeds: Seeds) -> dict[str, NDArray[np.generic]]:
    """What `mentor.head.Head` reads."""
    readings = [shared_encoder().read(sentence) for sentence in seeds.sentences]
    return weights_made_of(readings, fit(_likeness(readings), np.array(seeds.labels), seeds.classes))


def weights_made_of(readings: list[Reading], shares: Array) -> dict[str, NDArray[np.generic]]:
    vectors = np.stack([reading.vector for reading in readings])
    by_feature = np.zeros((FEATURES, shares.shape[1]))
    for reading, share in zip(readings, shares, strict=True):
        by_feature[reading.features.indices] += reading.features.weights[:, None] * share
    return {
        "by_dimension": (vectors.T @ shares).astype(np.float32),
        "by_feature": by_feature.astype(np.float16),
        "intercept": INTERCEPT**2 * shares.sum(axis=0),
    }


def fit(likeness: Array, labels: NDArray[np.intp], classes: int) -> Array:
    """Multinomial logistic regression with an L2 penalty: how much each example adds to each class's weights.

    `likeness` holds the inner products of the examples (their kernel), so that it does not matter how many features
    they have. Newton's steps with Böhning's fixed bound of the Hessian (Ann. Inst. Stat. Math. 1992), and Nesterov's
    momentum.
    """
    targets = np.eye(classes)[labels]
    inverse_bound = np.linalg.inv(0.5 * likeness + PENALTY * np.eye(len(labels)))
    shares = ahead = np.zeros_like(targets)
    for step in range(STEPS):
        logits = likeness @ ahead
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        gradient = odds / odds.sum(axis=1, keepdims=True) - targets + PENALTY * ahead
        previous, shares = shares, ahead - inverse_bound @ gradient
        ahead = shares + step / (step + 3) * (shares - previous)
        if np.abs(shares - previous).max() < CLOSE_ENOUGH:
            break
    return shares


def _likeness(readings: list[Reading]) -> Array:
    vectors = np.stack([reading.vector for reading in readings]).astype(np.float64)
    likeness: Array = vectors @ vectors.T + INTERCEPT**2
    for first in range(0, FEATURES, BLOCK):
        block = np.zeros((len(readings), BLOCK), dtype=np.float32)
        for row, reading in zip(block, readings, strict=True):
            inside = (reading.features.indices >= first) & (reading.features.indices < first + BLOCK)
            row[reading.features.indices[inside] - first] = reading.features.weights[inside]
        likeness += FEATURE_WEIGHT * (block @ block.T)
    return likeness


def _by_class(folder: Path) -> Seeds:
    return _labelled(
        [
            [
                line
                for language in Language
                for line in (folder / f"{name.lower()}.{language}.txt").read_text("utf-8").splitlines()
            ]
            for name in CLASSES
        ]
    )


def _by_label(path: Path, kind: type[StrEnum]) -> Seeds:
    table = tomllib.loads(path.read_text("utf-8"))
    return _labelled([[line for text in table[label].values() for line in text.strip().splitlines()] for label in kind])


def _labelled(groups: list[list[str]]) -> Seeds:
    lines = [(line, label) for label, group in enumerate(groups) for line in (*group, *_as_people_write(group))]
    return Seeds([line for line, _ in lines], [label for _, label in lines], len(groups))


def _as_people_write(seeds: list[str]) -> Iterator[str]:
    """Some of the seeds once more: with a greeting or thanks around them, or without spaces, as in Korean messages."""
    frames = tomllib.loads((MENTOR / "frames.toml").read_text("utf-8"))
    by_language = {language: frames[language].strip().splitlines() for language in Language}
    for place, seed in enumerate(seeds):
        language = language_of(seed)
        if place % FRAMED_EVERY == 0:
            choice = by_language[language]
            yield choice[place // FRAMED_EVERY % len(choice)].replace("{}", seed)
        if place % JOINED_EVERY == 0 and language is Language.KO:
            yield seed.replace(" ", "")


if __name__ == "__main__":
    main()
