"""Values to text and back, exactly, or not at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serinus.analysis.verdict import Check, Metric, Report, Verdict
from serinus.errors import StoreUnavailable, Unreadable
from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import Rollout
from serinus.routing.split import Split
from serinus.storage.codec import dump, load


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Place(NamedTuple):
    name: str
    east: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    weight: float
    colour: Colour = Colour.RED
    marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...]
    pair: tuple[str, float | None] = ("", None)
    by_name: Mapping[str, Leaf] = field(default_factory=lambda: MappingProxyType({}))
    by_number: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    by_place: Mapping[Place, int] = field(default_factory=lambda: MappingProxyType({}))
    best: Leaf | None = None
    notes: str = "none"


numbers = st.floats(allow_nan=False)
texts = st.text()
leaves = st.builds(Leaf, numbers, st.sampled_from(Colour), st.lists(st.integers(), max_size=3).map(tuple))
trees = st.builds(
    Tree,
    leaves=st.lists(leaves, max_size=3).map(tuple),
    pair=st.tuples(texts, st.none() | numbers),
    by_name=st.dictionaries(texts, leaves, max_size=3),
    by_number=st.dictionaries(st.integers(), numbers, max_size=3),
    by_place=st.dictionaries(st.builds(Place, texts, st.booleans()), st.integers(), max_size=3),
    best=st.none() | leaves,
    notes=texts,
)


@given(trees)
def test_whatever_goes_in_comes_out(tree: Tree) -> None:
    assert load(Tree, dump(tree)) == tree


@given(numbers)
def test_every_float_comes_back_bit_for_bit(number: float) -> None:
    assert load(Leaf, dump(Leaf(number))).weight.hex() == number.hex()


@given(texts)
def test_the_text_is_ascii_whatever_people_write(notes: str) -> None:
    assert dump(Tree((), notes=notes)).isascii()


def test_lone_surrogates_that_json_bodies_may_carry_survive() -> None:
    tree = Tree((), notes="\ud800")
    assert load(Tree, dump(tree)) == tree


def test_fields_at_their_default_take_no_room() -> None:
    assert json.loads(dump(Leaf(1.5))) == {"weight": 1.5}


def test_a_whole_number_becomes_the_float_that_the_field_says() -> None:
    assert isinstance(load(Leaf, '{"weight": 2}').weight, float)


def test_a_mapping_that_was_read_cannot_be_changed() -> None:
    tree = load(Tree, dump(Tree((), by_name={"a": Leaf(1.0)})))
    with pytest.raises(TypeError):
        tree.by_name["b"] = Leaf(2.0)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"weight": 1.0, "from_the_future": 3}', "from_the_future"),
        ('{"weight": "heavy"}', "weight"),
        ('{"weight": true}', "weight"),
        ('{"weight": 1.0, "colour": "green"}', "colour"),
        ('{"weight": 1.0, "marks": [1.5]}', "marks"),
        ('{"weight": 1.0, "marks": 3}', "marks"),
        ("{}", "weight"),
        ("[]", "object"),
        ('{"weight": 1', "damaged"),
        ("", "damaged"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_place(text: str, word: str) -> None:
    with pytest.raises(Unreadable, match=word) as caught:
        load(Leaf, text)
    assert isinstance(caught.value, StoreUnavailable), "so that whoever works on without a store does so here"


def test_a_value_that_its_type_refuses_is_not_understood_either() -> None:
    with pytest.raises(Unreadable, match="150"):
        load(Split, '{"percentage": 150}')


def test_only_what_has_a_json_form_is_written() -> None:
    with pytest.raises(TypeError, match="set"):
        dump(Tree((), notes={"a"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Rollout, Report, Event, Check])
def test_the_types_of_the_core_can_be_read(kind: type[object]) -> None:
    with pytest.raises(Unreadable, match=kind.__name__):
        load(kind, "{}")


def test_a_check_keeps_its_numbers() -> None:
    check = Check(
        "p95", Metric.P95, Verdict.FAIL, "slower", 0.1, 0.1, {"counted": 9.0, "expected": 1 / 3}, since=1e9 / 7
    )
    assert load(Check, dump(check)) == check


def test_an_event_keeps_nested_details() -> None:
    event = Event(EventKind.CHECKPOINT, 1.5, "ann", details={"a": [1, 2.5, None, {"b": [True]}]}, channels=("slack",))
    assert load(Event, dump(event)) == event
    assert load(Event, dump(replace(event, details={}))).details == {}
