"""How well the tone of texts that others wrote is heard: `python -m benchmarks.engines.tone`.

Six of the nine tones are labelled, by the emotions of Reddit comments (Korean: translated by machine). The cues were
written by hand, looking at mistakes in the `train` files; `test` was only measured.
"""

import json
import sys
from collections import Counter, defaultdict

from benchmarks.engines.world import DATA
from benchmarks.timing import Goal, report

from mentor.detection import detect


def main() -> int:
    goals = []
    for part in ("train", "test"):
        for lang in ("en", "ko"):
            rows = [json.loads(line) for line in (DATA / f"tone/{part}_{lang}.jsonl").open(encoding="utf-8")]
            heard: defaultdict[str, Counter[str]] = defaultdict(Counter)
            for row in rows:
                heard[row["label"]][detect(row["text"]).tone.value] += 1
            right = sum(found[tone] for tone, found in heard.items()) / len(rows)
            chance = max(sum(found.values()) for found in heard.values()) / len(rows)
            each = ", ".join(f"{tone} {found[tone] / sum(found.values()):.2f}" for tone, found in sorted(heard.items()))
            print(f"{part} {lang}: right {right:.2f}, the commonest tone {chance:.2f} | {each}")
            if part == "test":
                goals.append(Goal(f"the commonest tone, times ours, {lang}", chance / right, 0.5))
    return report(goals)


if __name__ == "__main__":
    sys.exit(main())
