"""Outcomes on disk as they come, one JSON line for each run of a decider: a benchmark of hours may be interrupted."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import inf, isfinite
from pathlib import Path

from benchmarks.decisions.outcomes import Outcome


class Played:
    """Every outcome so far, by scenario and seed. A line that was cut off by a kill is played again."""

    def __init__(self, path: Path | None) -> None:
        """Without a path they are kept in memory only."""
        self._path = path
        self._outcomes: dict[tuple[str, int], dict[str, Outcome]] = defaultdict(dict)
        if path is not None and path.exists():
            text = path.read_text(encoding="utf-8")
            for line in text.splitlines():
                self._read(line)
            if text and not text.endswith("\n"):
                with path.open("a", encoding="utf-8") as file:
                    file.write("\n")

    def _read(self, line: str) -> None:
        try:
            row = json.loads(line)
            instants = {name: inf if at is None else at for name, at in row["outcome"].items()}
            self._outcomes[row["scenario"], row["seed"]][row["decider"]] = Outcome(**instants)
        except (json.JSONDecodeError, KeyError, TypeError):
            return

    def missing(self, scenario: str, seed: int, deciders: Iterable[str]) -> list[str]:
        return [decider for decider in deciders if decider not in self._outcomes[scenario, seed]]

    def add(self, scenario: str, seed: int, outcomes: Mapping[str, Outcome]) -> None:
        self._outcomes[scenario, seed].update(outcomes)
        if self._path is None:
            return
        with self._path.open("a", encoding="utf-8") as file:
            for decider, outcome in outcomes.items():
                instants = {name: at if isfinite(at) else None for name, at in asdict(outcome).items()}
                row = {"scenario": scenario, "seed": seed, "decider": decider, "outcome": instants}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def complete(
        self, scenarios: Sequence[str], deciders: Sequence[str], runs: int
    ) -> Mapping[str, Sequence[dict[str, Outcome]]]:
        """By scenario, those of the first `runs` seeds that every decider has had in every scenario."""
        seeds = [seed for seed in range(runs) if not any(self.missing(name, seed, deciders) for name in scenarios)]
        return {name: [self._outcomes[name, seed] for seed in seeds] for name in scenarios}
