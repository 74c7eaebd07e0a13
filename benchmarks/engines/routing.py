"""How well texts that others wrote are routed to a persona: Phase 3's rule, TF-IDF, and the head that ships.

Run: `python -m benchmarks.engines.routing`. The head and TF-IDF are trained on this project's seed sentences alone, and
none of these texts was trained on. Mistakes in `train` and in `seen` were looked at; `test` and `held` are to be read.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from benchmarks.engines import styles
from benchmarks.engines.simulator import expected_calibration_error
from benchmarks.engines.tfidf import TfIdf
from benchmarks.engines.world import DATA, PERSONAS
from benchmarks.timing import Goal, compare, report, show

from mentor.canary.content import shared_head
from mentor.canary.population import nothing_learned
from mentor.detection import Hints, detect
from mentor.legacy.resonance import ResonanceRecommender
from mentor.personas import Persona
from mentor.recommendation import Query

Router = Callable[[str], np.ndarray]


@dataclass(frozen=True, slots=True)
class Routed:
    first: float
    first_two: float
    calibration_error: float


def rule(text: str) -> np.ndarray:
    query = Query(text, detect(text), Hints())
    return np.array(list(ResonanceRecommender().recommend(query, nothing_learned()).scores.values()))


def head(text: str) -> np.ndarray:
    return shared_head().odds(text, Hints())[: len(PERSONAS)]


def judge(router: Router, rows: list[dict[str, str]]) -> Routed:
    ranks, claims = [], []
    for row in rows:
        scores = router(row["text"])
        right = PERSONAS.index(Persona(row["label"]))
        ranks.append(int((scores > scores[right]).sum()))
        claims.append((min(1.0, float(scores.max())), ranks[-1] == 0))
    places = np.array(ranks)
    return Routed(float((places == 0).mean()), float((places < 2).mean()), expected_calibration_error(np.array(claims)))


def main() -> int:
    goals = []
    routers: dict[str, Router] = {"Phase 3 rule": rule, "TF-IDF + LR": TfIdf.of_seeds().odds, "encoder + LR": head}
    print(f"{'':8}{'':16}{'right':>8}{'top 2':>8}{'ECE':>8}")
    for part in ("train", "test", "seen", "held"):
        for lang in ("en", "ko"):
            rows = texts_of(part, lang)
            for name, router in routers.items():
                routed = judge(router, rows)
                print(
                    f"{part + ' ' + lang:8}  {name:14}{routed.first:8.2f}{routed.first_two:8.2f}"
                    f"{routed.calibration_error:8.2f}"
                )
            if part in ("test", "held"):
                goals += [
                    Goal(f"routed wrong, {part} {lang}", 1 - routed.first, 0.24),
                    Goal(f"not among the first two, {part} {lang}", 1 - routed.first_two, 0.08),
                    Goal(f"calibration error, {part} {lang}", routed.calibration_error, 0.10),
                ]
    claims = [float(head(text).max()) for lang in ("en", "ko") for text in styles.out_of_scope(lang, styles.HELD)]
    print(
        f"\nout of scope: confidence {np.mean(claims):.2f} on average, at most {max(claims):.2f} ({len(claims)} texts)"
    )
    texts = [row["text"] for row in texts_of("test", "en")][:200]
    times = compare({name: partial(_all, router, texts) for name, router in routers.items()}, len(texts), rounds=5)
    show("microseconds a text", times, unit="µs", against="Phase 3 rule")
    return report([*goals, Goal("confidence out of scope", float(np.mean(claims)), 0.3)])


def texts_of(part: str, lang: str) -> list[dict[str, str]]:
    if part in ("seen", "held"):
        return styles.personas(lang, styles.SEEN if part == "seen" else styles.HELD)
    return [json.loads(line) for line in (DATA / f"routing/{part}_{lang}.jsonl").open(encoding="utf-8")]


def _all(router: Router, texts: list[str]) -> None:
    for text in texts:
        router(text)


if __name__ == "__main__":
    sys.exit(main())
