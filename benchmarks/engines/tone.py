"""How well tone, intent and pace of texts that nobody trained on are heard: `python -m benchmarks.engines.tone`.

`train` and `test` are comments on Reddit, labelled with six of the nine tones by their emotions (Korean: translated by
machine); `seen` and `held` are our own, in the styles of other sources, of all nine. The cues and the seeds of the head
were written by hand, looking at mistakes in `train` and `seen`; the others were only measured.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from benchmarks.engines import styles
from benchmarks.engines.world import DATA
from benchmarks.timing import Goal, report

import mentor
from mentor.canary.encoder import shared_encoder
from mentor.detection import Tone, detect
from mentor.head import Head

TONES = tuple(Tone)


def main() -> int:
    goals = []
    for part in ("train", "test", "seen", "held"):
        for lang in ("en", "ko"):
            rows = texts_of(part, lang)
            by = {name: [hear(row["text"]) == row["label"] for row in rows] for name, hear in WAYS.items()}
            right = {name: float(np.mean(found)) for name, found in by.items()}
            most = max(Counter(row["label"] for row in rows).values()) / len(rows)
            print(f"{part} {lang}: " + ", ".join(f"{name} {share:.2f}" for name, share in right.items()))
            print("    " + _by_label(rows, by["cues and the head"]))
            if part in ("test", "held"):
                times = most / right["cues and the head"]
                goals.append(Goal(f"the commonest tone, times ours, {part} {lang}", times, 0.5))
    for kind in ("intent", "pace"):
        for half, name in ((styles.SEEN, "seen"), (styles.HELD, "held")):
            for lang in ("en", "ko"):
                rows = styles.labels(kind, lang, half)
                found = [getattr(detect(row["text"]), kind) == row["label"] for row in rows]
                print(f"{kind}, {name} {lang}: {np.mean(found):.2f} | {_by_label(rows, found)}")
    return report(goals)


def texts_of(part: str, lang: str) -> list[dict[str, str]]:
    if part in ("seen", "held"):
        return styles.labels("tone", lang, styles.SEEN if part == "seen" else styles.HELD)
    return [json.loads(line) for line in (DATA / f"tone/{part}_{lang}.jsonl").open(encoding="utf-8")]


def _by_head(text: str) -> Tone:
    return TONES[int(_HEAD.logits(text).argmax())]


def _heard(text: str) -> Tone:
    return detect(text).tone


def _by_label(rows: list[dict[str, str]], right: list[bool]) -> str:
    shares: defaultdict[str, list[bool]] = defaultdict(list)
    for row, found in zip(rows, right, strict=True):
        shares[row["label"]].append(found)
    return ", ".join(f"{label} {np.mean(found):.2f}" for label, found in sorted(shares.items()))


_HEAD = Head(shared_encoder(), Path(mentor.__file__).with_name("tone_head.npz"))
WAYS = {"the head alone": _by_head, "cues and the head": _heard}


if __name__ == "__main__":
    sys.exit(main())
