"""How much of what was said is still in the context when it is needed: the last five turns, and Phase 4's memory.

Run: `python -m benchmarks.engines.memory` (a minute). Dialogues with an even place in their file were looked at when
weights were chosen; the goals are judged on the others. A value is found when the context holds it, word for word.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from benchmarks.engines.world import DATA
from benchmarks.timing import Goal, report

from mentor.canary.context import CONTEXT_CHARACTERS
from mentor.canary.encoder import shared_encoder
from mentor.canary.multiturn import MultiturnEngine
from mentor.personas import Persona
from mentor.sessions import Session, Turn

FILES = ("sgd_en", "risawoz_en", "risawoz_ko", "long_en", "long_ko")
NEEDED = {
    ("sgd_en", "recall, 6 or more turns ago"): 0.85,
    ("sgd_en", "carry-over"): 0.80,
    ("risawoz_ko", "recall, 6 or more turns ago"): 0.80,
    ("long_en", "long recall"): 0.90,
    ("long_ko", "long recall"): 0.85,
}


@dataclass(frozen=True, slots=True)
class Asked:
    kind: str
    found: bool
    characters: int
    seconds: float


def dialogues(name: str, remainder: int) -> Iterator[dict[str, Any]]:
    for place, line in enumerate((DATA / f"memory/{name}.jsonl").open(encoding="utf-8")):
        if place % 2 == remainder:
            yield json.loads(line)


def ask(engine: MultiturnEngine, dialogue: dict[str, Any]) -> Iterator[Asked]:
    """Every probe of a dialogue, its memory kept from turn to turn as the service does."""
    turns = [
        Turn(number, each["user"], each["system"], 0.0, {}, "a language model")
        for number, each in enumerate(dialogue["turns"], start=1)
    ]
    kept: dict[int, dict[str, Any]] = {0: {}}
    memory = engine.memory(session_of(0, {}), [])
    for turn in turns:
        memory = memory.after(turn.turn_number, turn.user_message, shared_encoder(), answer=turn.ai_response)
        kept[turn.turn_number] = memory.to_json()
    for probe in dialogue["probes"]:
        before = probe["turn"]
        message = probe.get("query") or turns[before].user_message
        started = time.perf_counter()
        context = engine.prepare(session_of(before, kept[before]), turns[:before], message).prompt.context
        seconds = time.perf_counter() - started
        place = context.split("Focus: ")[1].split(". Turn")[0] if "Focus: " in context else ""
        searched = place if probe["type"] == "focus" else context
        found = any(gold.lower() in searched.lower() for gold in probe["gold"])
        yield Asked(kind_of(probe), found, len(context), seconds)


def session_of(turn_count: int, memory: dict[str, Any]) -> Session:
    return Session(
        session_id="s",
        user_id="u",
        persona=Persona.NANA,
        created_at=0.0,
        expires_at=1.0,
        last_activity_at=0.0,
        turn_count=turn_count,
        memory=memory,
    )


def kind_of(probe: dict[str, Any]) -> str:
    if probe["type"] == "recall":
        return "recall, 6 or more turns ago" if probe["k"] >= 6 else "recall, up to 5 turns ago"
    return {"carryover": "carry-over", "focus": "what “it” is", "long_recall": "long recall"}[probe["type"]]


def measure(name: str, remainder: int, *, remembers: bool) -> dict[str, list[Asked]]:
    engine = MultiturnEngine(shared_encoder(), remembers=remembers)
    kinds: defaultdict[str, list[Asked]] = defaultdict(list)
    for dialogue in dialogues(name, remainder):
        for asked in ask(engine, dialogue):
            kinds[asked.kind].append(asked)
    return kinds


def main() -> int:
    goals = []
    print(f"{'':12}{'':30}{'probes':>8}{'window':>8}{'memory':>8}{'looked at':>10}")
    every: list[Asked] = []
    for name in FILES:
        window, memory, seen = (
            measure(name, remainder, remembers=remembers) for remainder, remembers in ((1, False), (1, True), (0, True))
        )
        for kind in sorted(memory):
            shares = [float(np.mean([asked.found for asked in found[kind]])) for found in (window, memory, seen)]
            print(f"{name:12}{kind:30}{len(memory[kind]):8}{shares[0]:8.2f}{shares[1]:8.2f}{shares[2]:10.2f}")
            every += memory[kind]
            if (name, kind) in NEEDED:
                goals.append(Goal(f"forgotten: {name}, {kind}", 1 - shares[1], 1 - NEEDED[name, kind] + 1e-9))
    p95_ms = 1000 * float(np.quantile([asked.seconds for asked in every], 0.95))
    print(f"\ncontext: at most {max(asked.characters for asked in every)} characters; p95 {p95_ms:.2f} ms")
    goals.append(Goal("longest context, characters", max(asked.characters for asked in every), CONTEXT_CHARACTERS))
    return report([*goals, Goal("p95 of preparing a turn, ms", p95_ms, 10)])


if __name__ == "__main__":
    sys.exit(main())
