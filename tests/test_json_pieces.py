"""Reading and writing large JSON in short steps gives the same as the json module."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history import json_pieces
from cloud_history.json_pieces import NotJson, Reader, dumps, loads
from support.examples import examples

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)


def nothing() -> None:
    pass


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the windows so small that every value spans several."""
    monkeypatch.setattr(json_pieces, "WINDOW", 8)
    monkeypatch.setattr(json_pieces, "MAX_SIZE_PER_STEP", 3)


@given(VALUES, st.sampled_from([None, 1]), st.sampled_from([1, 8, 30]))
@examples(100)
def test_parsed_values_equal_those_of_the_json_module(value: Any, indent: int | None, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_pieces, "WINDOW", window)
        for ascii_only in (True, False):
            text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
            assert loads(text, nothing) == json.loads(text)


@given(VALUES)
@examples(100)
def test_written_values_equal_those_of_the_json_module(value: Any) -> None:
    finite = json.loads(json.dumps(value), parse_constant=lambda name: None)
    assert dumps(value, nothing) == json.dumps(finite, separators=(",", ":"))


@given(st.text(alphabet='[]{}",:01.e-ntrufalse \\', max_size=30))
@examples(300)
def test_text_that_python_cannot_parse_is_refused(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(NotJson):
            loads(text, nothing)
    else:
        assert loads(text, nothing) == expected


@pytest.mark.parametrize("number", ["12345678901234567890", "-0.000001234567e-12", "18446744073709551614"])
def test_a_number_that_spans_two_windows_is_parsed_correctly(number: str) -> None:
    assert loads(f"[1,{number},2]", nothing)[1] == json.loads(number)


def test_lone_surrogates_are_written_as_python_does() -> None:
    text = "\ud83d\ude00\ud83d" * 500
    assert dumps(text, nothing) == json.dumps(text)


def test_the_given_decoder_creates_member_names_and_objects() -> None:
    decoder = json.JSONDecoder(object_pairs_hook=list)
    text = '{"a": 1, "a": {"b": [1, 2, 3, 4, 5, 6, 7, 8]}, "c": {}}'
    assert loads(text, nothing, decoder) == json.loads(text, object_pairs_hook=list)


def test_json_nested_too_deeply_raises_not_json() -> None:
    with pytest.raises(NotJson):
        loads("[" * 100_000, nothing)


@pytest.mark.parametrize(
    "text",
    [
        "[" + ",".join(["[]"] * 100_000) + "]",
        json.dumps({str(number): {"x": [number] * 5} for number in range(5000)}),
        json.dumps([[["x" * 50] * 20] * 50] * 20),
    ],
    ids=["tiny lists", "members", "nested"],
)
def test_no_parsing_step_reads_more_than_one_window(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_pieces, "WINDOW", 1000)
    longest, steps = 0, 0

    class Measured(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> Any:
            nonlocal longest, steps
            longest, steps = max(longest, len(s) - idx), steps + 1
            return super().raw_decode(s, idx)

    assert loads(text, nothing, Measured()) == json.loads(text)
    assert longest <= 1000
    assert steps < 3 * text.count("[") + 3 * text.count("{") + 20_000


@pytest.mark.parametrize(
    "value",
    [
        [[]] * 10_000,
        {str(number): [number] * 3 for number in range(2000)},
        "é" * 100_000,
        [["x" * 500] * 500],
    ],
    ids=["tiny lists", "members", "a text", "texts"],
)
def test_no_writing_step_exceeds_the_size_limit(value: Any) -> None:
    pieces = list(json_pieces._pieces(value, nothing))
    assert "".join(pieces) == json.dumps(value, separators=(",", ":"))
    assert max(map(len, pieces)) < 3 * 64 * 6 + 600


def test_large_json_is_parsed_with_many_pauses() -> None:
    pauses = 0

    def pause() -> None:
        nonlocal pauses
        pauses += 1

    dumps(loads(json.dumps([[1] * 100] * 100), pause), pause)
    assert pauses > 300


def test_a_json_reader_can_move_back_and_forth() -> None:
    text = json.dumps(["a" * 20, {"b": 1}, math.pi])
    reader = Reader(text, nothing)
    first, end = reader.value(1)
    assert first == "a" * 20
    assert reader.value(1) == (first, end)
