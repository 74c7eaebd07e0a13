"""Evidence is a value: what comes back from the store is what went in, and folds on alike."""

import json
from dataclasses import replace

import numpy as np

from made_cells import CRITERIA, begin, cell, slice_of
from serinus.analysis.analyze import Evidence, analyze, enter_step, fold
from serinus.analysis.slices import Compared, Slice
from serinus.metrics.snapshot import merge
from simulated_service import Service, slices


def text(evidence: Evidence) -> str:
    return json.dumps(evidence.to_json(), allow_nan=False)


def stream(requests: int = 1_500) -> list[Slice]:
    service = Service(error_rate=0.01, canary_excess=0.02, canary_factor=1.3, shares=(0.05, 0.25))
    return list(slices(service, np.random.default_rng(5), requests=requests, look=50))


def test_evidence_survives_the_store_bit_for_bit() -> None:
    evidence = begin()
    for each in stream():
        evidence = fold(evidence, each, CRITERIA)
    evidence = fold(evidence, slice_of(900, cell(1), cell(0), endpoint="/rare", revision=2), CRITERIA)
    assert evidence.open
    assert text(Evidence.from_json(json.loads(text(evidence)))) == text(evidence)


def test_folding_after_the_store_equals_folding_without_it() -> None:
    kept = stored = begin()
    for each in stream():
        if each.split_revision > kept.step.split_revision:
            kept, stored = (enter_step(e, at=each.started_at, split_revision=2) for e in (kept, stored))
        kept = fold(kept, each, CRITERIA)
        stored = fold(Evidence.from_json(json.loads(text(stored))), each, CRITERIA)
    assert text(stored) == text(kept)
    assert analyze(stored, CRITERIA, 500.0) == analyze(kept, CRITERIA, 500.0)


def test_the_order_in_which_agents_are_merged_does_not_matter() -> None:
    parts = [cell(40, 2, first_subject=9), cell(31, 0, seconds=0.7), cell(7, 3, seconds=3.0, client_errors=2)]
    legacy = cell(900, 4)
    for order in (parts, parts[::-1]):
        folded = fold(begin(), Slice(0.0, 2.0, 1, {"/": Compared(legacy, merge(order))}), CRITERIA)
        assert text(folded) == text(fold(begin(), Slice(0.0, 2.0, 1, {"/": Compared(legacy, merge(parts))}), CRITERIA))


def test_its_size_does_not_grow_with_the_number_of_slices() -> None:
    evidence, stories = begin(), stream(6_000)
    sizes = {}
    for number, each in enumerate(stories, 1):
        evidence = fold(evidence, replace(each, split_revision=1), CRITERIA)
        if number in {len(stories) // 4, len(stories)}:
            sizes[number] = len(text(evidence))
    early, late = sizes.values()
    assert late < 1.5 * early


def test_folding_leaves_the_evidence_that_it_began_with_as_it_was() -> None:
    before = fold(begin(), slice_of(0, cell(500, 3), cell(30, 1)), CRITERIA)
    remembered = text(before)
    fold(before, slice_of(1, cell(500, 3), cell(30, 9)), CRITERIA)
    assert text(before) == remembered
