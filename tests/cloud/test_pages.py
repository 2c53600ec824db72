"""Reading a page row by row gives the same as parsing all of it, or an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.cloud.pages import read_page
from cloud_history.json_pieces import NotJson
from support.examples import examples

quickly = examples(100)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
members = st.dictionaries(st.sampled_from(["jobs", "pagination", "total", "x", ""]), any_json, max_size=4)
pages = st.builds(lambda rest, rows: {**rest, "jobs": rows}, members, st.lists(any_json, max_size=6))
layouts = st.sampled_from([{"separators": (",", ":")}, {"indent": 3}, {"ensure_ascii": False}, {}])
Layout = dict[str, Any]
SPACE = "\n \t\r"


def whole(text: str) -> dict[str, Any]:
    """Read a page row by row, and return it as one JSON object."""
    rows: list[Any] = []
    page = read_page(text, rows.append)
    if rows:
        assert page["jobs"] == []
        page["jobs"] = rows
    return page


@quickly
@given(pages | members, layouts)
def test_reading_row_by_row_equals_reading_the_whole_page(page: dict[str, Any], layout: Layout) -> None:
    text = SPACE + json.dumps(page, **layout) + SPACE
    assert whole(text) == json.loads(text) == page


SAMPLES = [
    '{"jobs":[{"id":"a","n":[1,{}]},null,"é\\"\\\\"],"pagination":{"total":2,"more":true},"x":-1.5e3}',
    '{"total": 1, "jobs": []}',
    '{ "a" : [ ] , "jobs" : [ true , false ] }',
]


@pytest.mark.parametrize("text", SAMPLES)
def test_a_page_truncated_at_any_position_is_rejected(text: str) -> None:
    for end in range(len(text)):
        with pytest.raises(NotJson):
            whole(text[:end])


@quickly
@given(st.text() | any_json.map(json.dumps))
def test_any_text_is_read_as_the_json_module_reads_it_or_rejected(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    if isinstance(expected, dict):
        assert whole(text) == expected
    else:
        with pytest.raises(NotJson):
            whole(text)


@pytest.mark.parametrize("text", SAMPLES)
def test_a_page_with_one_changed_character_is_read_as_the_json_module_reads_it_or_rejected(text: str) -> None:
    for at in range(len(text)):
        for wrong in '",]}{[:0 ':
            odd = text[:at] + wrong + text[at + 1 :]
            try:
                expected = json.loads(odd)
            except ValueError:
                with pytest.raises(NotJson):
                    whole(odd)
            else:
                assert "jobs" not in expected or whole(odd) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[]",
        "null",
        "{",
        '{"jobs"',
        '{"jobs":',
        '{"jobs":[',
        '{"jobs":[1,]}',
        '{"jobs":[1 2]}',
        '{"jobs":[1],}',
        '{"jobs":[1]} x',
        '{"jobs":[1]}{}',
        "{1:2}",
        '{["a"]:1}',
        '{"jobs":[' + "[" * 100_000,
        "\ufeff{}",
    ],
    ids=lambda text: text[:14],
)
def test_text_that_is_not_a_page_of_jobs_is_rejected(text: str) -> None:
    with pytest.raises(NotJson):
        whole(text)


def test_rows_are_yielded_in_order_and_the_other_fields_of_a_page_are_kept() -> None:
    text = '{"a": 1, "jobs": [{"id": 1}, [2], 3], "pagination": {"jobs": [4]}}'
    rows: list[Any] = []
    assert read_page(text, rows.append) == {"a": 1, "jobs": [], "pagination": {"jobs": [4]}}
    assert rows == [{"id": 1}, [2], 3]


def test_jobs_that_are_not_an_array_are_returned_unchanged() -> None:
    rows: list[Any] = []
    assert read_page('{"jobs": {"0": 1}}', rows.append) == {"jobs": {"0": 1}}
    assert rows == []


def test_a_page_with_two_jobs_members_is_rejected() -> None:
    with pytest.raises(NotJson):
        whole('{"jobs": [1], "jobs": [2]}')


def test_rows_read_before_a_parse_error_are_kept() -> None:
    rows: list[Any] = []
    with pytest.raises(NotJson):
        read_page('{"jobs": [1, 2, oops', rows.append)
    assert rows == [1, 2]


def test_an_error_in_the_row_handler_is_not_mistaken_for_a_bad_page() -> None:
    def take(row: object) -> None:
        raise ValueError(row)

    with pytest.raises(ValueError, match="7") as caught:
        read_page('{"jobs": [7]}', take)
    assert not isinstance(caught.value, NotJson)
