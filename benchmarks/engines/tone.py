"""How well the tone of texts that others wrote is heard: `python -m benchmarks.engines.tone`.

Six of the nine tones are labelled, by the emotions of Reddit comments (Korean: translated by machine). The cues were
written by hand, looking at mistakes in the `train` files; `test` was only measured. The head is what the encoder makes
of our own sentences (tests/unit/mentor/tones.toml), alone and in the place of "calm", which the cues say without any.
"""

import json
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
from benchmarks.engines.tfidf import ROOT, trainer
from benchmarks.engines.world import DATA
from benchmarks.timing import Goal, report

from mentor.canary.encoder import shared_encoder
from mentor.detection import Tone, detect

TONES = tuple(Tone)


def head() -> Callable[[str], Tone]:
    """The tone by a logistic regression over sentence vectors, fitted to our own sentences."""
    table = tomllib.loads((ROOT / "tests/unit/mentor/tones.toml").read_text("utf-8"))
    rows = [
        (line, TONES.index(Tone(tone)))
        for tone, texts in table.items()
        for text in texts.values()
        for line in text.strip().splitlines()
    ]
    vectors = shared_encoder().encode_all(line for line, _ in rows).astype(np.float64)
    weights = trainer().fit(vectors, np.array([label for _, label in rows]), len(TONES))

    def hear(text: str) -> Tone:
        return TONES[int((weights[:, :-1] @ shared_encoder().encode(text) + weights[:, -1]).argmax())]

    return hear


def main() -> int:
    goals = []
    by_head = head()
    for part in ("train", "test"):
        for lang in ("en", "ko"):
            rows = [json.loads(line) for line in (DATA / f"tone/{part}_{lang}.jsonl").open(encoding="utf-8")]
            heard: defaultdict[str, Counter[str]] = defaultdict(Counter)
            for row in rows:
                heard[row["label"]][detect(row["text"]).tone.value] += 1
            right = sum(found[tone] for tone, found in heard.items()) / len(rows)
            chance = max(sum(found.values()) for found in heard.values()) / len(rows)
            each = ", ".join(f"{tone} {found[tone] / sum(found.values()):.2f}" for tone, found in sorted(heard.items()))
            alone = np.mean([by_head(row["text"]) == row["label"] for row in rows])
            calms = [(row, detect(row["text"]).tone) for row in rows]
            mixed = np.mean(
                [(by_head(row["text"]) if tone is Tone.CALM else tone) == row["label"] for row, tone in calms]
            )
            print(f"{part} {lang}: right {right:.2f}, the commonest tone {chance:.2f} | {each}")
            print(f"         head alone {alone:.2f}, head in the place of calm {mixed:.2f}")
            if part == "test":
                goals.append(Goal(f"the commonest tone, times ours, {lang}", chance / right, 0.5))
    return report(goals)


if __name__ == "__main__":
    sys.exit(main())
