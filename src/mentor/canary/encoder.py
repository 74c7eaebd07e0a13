"""A sentence as 64 numbers: hashed features, an int8 table, no model server.

Distilled from multilingual-e5-small (see NOTICE). It knows topics and intents in English and Korean; it does not judge
paraphrases.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

DIMENSIONS: Final = 64
MAX_TOKENS: Final = 128
LATEST: Final = 64
FEATURES: Final = 0x8000
_TABLE: Final = Path(__file__).with_name("static_e5_15_64.npz")
_TOKEN: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """`weights[i]` stands at `indices[i]` of a vector of `FEATURES` numbers; all others are 0."""

    indices: NDArray[np.int32]
    weights: Vector


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Not to be written into: a text that is asked for again, by another head, is not read again."""

    features: Features
    vector: Vector


class Encoder:
    """Turns texts into unit vectors of `DIMENSIONS`; the table is read once, at construction."""

    def __init__(self, table: Path = _TABLE) -> None:
        with np.load(table) as arrays:
            rows = arrays["Wq"].astype(np.float32) * arrays["sc"].astype(np.float32)[:, None]
            self._rows = np.ascontiguousarray(rows)  # by feature: reading a row is then twenty times as fast
            self._idf = arrays["idf"].astype(np.float32)
            self._bias = arrays["b"].astype(np.float32)
        self._latest = lru_cache(maxsize=LATEST)(self._read)

    def read(self, text: str) -> Reading:
        return self._latest(text)

    def encode(self, text: str) -> Vector:
        return self.read(text).vector

    def features(self, text: str) -> Features:
        """Words, word pairs and character n-grams, weighted by how telling they are: a unit vector, mostly empty."""
        counts = _counts(text)
        indices = np.fromiter(counts.keys(), dtype=np.int32, count=len(counts))
        weights = np.log1p(np.fromiter(counts.values(), dtype=np.float32, count=len(counts))) * self._idf[indices]
        return Features(indices, _unit(weights))

    def project(self, features: Features) -> Vector:
        return _unit(features.weights @ self._rows.take(features.indices, axis=0) + self._bias)

    def _read(self, text: str) -> Reading:
        features = self.features(text)
        vector = self.project(features)
        for array in (features.indices, features.weights, vector):
            array.flags.writeable = False
        return Reading(features, vector)

    def encode_all(self, texts: Iterable[str]) -> Vector:
        """One row per text, shape (n, `DIMENSIONS`)."""
        return np.stack([self.encode(text) for text in texts])

    def rarity(self, token: str) -> float:
        """How telling a lower-cased word is: its inverse document frequency in the corpus of the distillation."""
        return float(self._idf[_bucket("w:" + token)])


@cache
def shared_encoder() -> Encoder:
    return Encoder()


def _counts(text: str) -> Counter[int]:
    """Term frequencies by bucket: words count double, word pairs and character 2- to 4-grams once."""
    counts: Counter[int] = Counter()
    previous = ""
    for token in _TOKEN.findall(text.lower())[:MAX_TOKENS]:
        word, grams = _token_buckets(token)
        counts[word] += 2
        counts.update(grams)
        if previous:
            counts[_bucket(f"b:{previous} {token}")] += 1
        previous = token
    return counts


@lru_cache(maxsize=20_000)
def _token_buckets(token: str) -> tuple[int, tuple[int, ...]]:
    return _bucket("w:" + token), tuple(_bucket(gram) for gram in _grams(f" {token} "))


def _grams(padded: str) -> Iterator[str]:
    for size in (2, 3, 4):
        for start in range(len(padded) - size + 1):
            yield padded[start : start + size]


def _bucket(feature: str) -> int:
    return crc32(feature.encode()) % FEATURES


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector
