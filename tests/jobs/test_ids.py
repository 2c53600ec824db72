"""Job ids are read from any input. Input that is not a job id is refused with an error that names it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.errors import InputRefused, InvalidJobIds, NoJobIds, TooManyJobIds
from cloud_history.jobs.ids import MAX_CHARACTERS, MAX_IDS, parse_job_ids
from cloud_history.secret import Secret
from support.choices import Choices, made_of
from support.examples import examples

A = "01234567-89ab-cdef-0123-456789abcdef"
B = "fedcba98-7654-3210-fedc-ba9876543210"
C = "00000000-0000-4000-8000-00000000000c"

quickly = examples(100)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (A, [A]),
        (A.upper(), [A]),
        (f"{{{A}}}", [A]),
        (f"{A}\n{B}", [A, B]),
        (f"{A}\r\n{B}\r\n", [A, B]),
        (f"{A},{B};{C}", [A, B, C]),
        (f" {A} ,;\t {B}  ", [A, B]),
        (f"{A}\u00a0{B}", [A, B]),
        (f'"{A}", "{B}"', [A, B]),
        (f"'{A}' `{B}` “{C}”", [A, B, C]),
        (f"{B} {A} {B}", [B, A]),
        (f"{A} {A.upper()} {{{A}}}", [A]),
        (json.dumps([A, B]), [A, B]),
        (json.dumps([A, [B, [C]]], indent=2), [A, B, C]),
        (json.dumps([f"{A},{B}"]), [A, B]),
        ([A, B], [A, B]),
        ((A, B), [A, B]),
        ([[A], [B]], [A, B]),
        ([f"{A}\n{B}", json.dumps([C])], [A, B, C]),
        ([], []),
        ((), []),
        ([[]], []),
    ],
)
def test_ids_are_returned_in_order_in_lower_case_without_duplicates(given_: object, expected: list[str]) -> None:
    assert parse_job_ids(given_) == expected


@pytest.mark.parametrize(
    "absent",
    [None, "", " \n\t", "[]", " [ ] ", '""', "“”", ",;,", (None,), [None], [""], ["[]"], [[None], " "]],
)
def test_missing_or_blank_ids_are_refused(absent: object) -> None:
    with pytest.raises(NoJobIds) as refused:
        parse_job_ids(absent)
    assert refused.value.hint == (
        "Give the ids of the jobs to delete, one a line. To remove all jobs, use Clear Cloud History."
    )


@pytest.mark.parametrize("text", ["[[]]", "[[], []]", "[[[]]]"])
def test_a_text_of_only_empty_arrays_counts_as_blank(text: str) -> None:
    with pytest.raises(NoJobIds):
        parse_job_ids(text)


def test_empty_arrays_in_a_text_with_a_job_id_are_reported_as_wrong() -> None:
    with pytest.raises(InvalidJobIds, match="item 1"):
        parse_job_ids(["[[]]", A])


@pytest.mark.parametrize(
    "wrong",
    [
        A[:-1],
        A + "0",
        A.replace("-", ""),
        "{" + A,
        A + "}",
        "{{" + A + "}}",
        "g" + A[1:],
        f"urn:uuid:{A}",
        "+123456789-abcd-ef01-2345-6789abcdef",
        "+1234567-89ab-cdef-0123-456789abcdef",
        "０１２３４５６７-89ab-cdef-0123-456789abcdef",
        A.replace("0", "٠"),
        f"\u200b{A}",
        f"{A[:8]}\u200d{A[8:]}",
        f"{A}\u202e",
        f"\ufeff{A}",
        f"{A}\x00",
        "../jobs/" + A,
        f"(’{A}’)",
        "*",
        "all",
        "true",
        str([A]),
        str([A, B]),
        f"[{A}]",
        json.dumps([A])[:-1],
        json.dumps({"ids": [A]}),
        "[1]",
        "[true]",
        "[NaN]",
        "\ud800",
    ],
)
def test_text_that_is_not_a_job_id_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidJobIds, match="item 1"):
        parse_job_ids(wrong)
    with pytest.raises(InvalidJobIds):
        parse_job_ids([A, wrong, B])


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        (1, "a int, not text"),
        (1.5, "a float, not text"),
        (True, "a bool, not text"),
        (b"x", "a bytes, not text"),
        ({"id": A}, "a dict, not text"),
        ({A}, "a set, not text"),
        ("[null]", "nothing (a missing or blank input)"),
        (None, "nothing (a missing or blank input)"),
        ("  ", "nothing (a missing or blank input)"),
    ],
)
def test_items_that_are_not_text_are_named_by_their_type(wrong: object, shown: str) -> None:
    with pytest.raises(InvalidJobIds) as refused:
        parse_job_ids([A, B, wrong])
    assert refused.value.message == f"1 of 3 is not a job id: item 3: {shown}."
    assert refused.value.values["wrong"] == 1


def test_the_error_names_the_first_ten_wrong_items_and_counts_the_rest() -> None:
    mixed = [A, *(f"wrong{number}" for number in range(1, 1013)), B]
    with pytest.raises(InvalidJobIds) as refused:
        parse_job_ids(mixed)
    assert refused.value.values["wrong"] == 1012
    named = "; ".join(f"item {number + 1}: “wrong{number}”" for number in range(1, 11))
    assert refused.value.message == f"1,012 of 1,014 are not job ids: {named}; and 1,002 more."


def test_the_error_for_exactly_ten_wrong_items_names_all_without_a_count() -> None:
    with pytest.raises(InvalidJobIds) as refused:
        parse_job_ids(["x"] * 10)
    assert refused.value.message.endswith("item 10: “x”.")
    assert "more" not in refused.value.message


def test_errors_escape_invisible_characters_and_cut_long_texts() -> None:
    with pytest.raises(InvalidJobIds) as refused:
        parse_job_ids([f"\u202e{A}", "x" * 5000])
    assert f"“\\u202e{A}”" in refused.value.message
    assert f"“{'x' * 60}…”" in refused.value.message
    assert len(refused.value.message) < 300


@pytest.mark.parametrize("depth", [20, 5000, 200_000])
def test_huge_nesting_in_a_text_is_refused(depth: int) -> None:
    with pytest.raises(InputRefused):
        parse_job_ids("[" * depth + f'"{A}"' + "]" * depth)


def test_a_list_that_contains_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InvalidJobIds):
        parse_job_ids(endless)


@pytest.mark.parametrize(
    "key", ["comfyui-0123456789abcdef", "COMFYUI-0123456789ABCDEF", "key=comfyui-0123456789abcdef"]
)
def test_errors_never_quote_text_that_looks_like_an_api_key(key: str) -> None:
    for around in (key, f'"{key}"', [A, key], json.dumps([key])):
        with pytest.raises(InvalidJobIds) as refused:
            parse_job_ids(around)
        assert "0123456789abcdef" not in str(refused.value).lower().replace(A, "")
        assert "looks like an API key (hidden)" in refused.value.message


def test_errors_never_quote_the_api_key_of_this_process() -> None:
    Secret("an-unusual-key-of-somebody")
    with pytest.raises(InvalidJobIds) as refused:
        parse_job_ids("x" * 50 + "an-unusual-key-of-somebody")
    assert "unusual" not in str(refused.value)
    assert "an-un" not in str(refused.value)


SEPARATORS = (",", ";", " ", "\n", "\r\n", "\t", "\u00a0")
QUOTES = ("", *"\"'`“”‘’")
Mixed = tuple[object, list[str]]


def written(choices: Choices, job_id: str) -> str:
    """Return one id in one of the spellings that people use."""
    text = choices.one_of((job_id, job_id.upper(), job_id.title()))
    text = choices.one_of((text, f"{{{text}}}"))
    quote = choices.one_of(QUOTES)
    return f"{quote}{text}{quote}"


def text_of(choices: Choices) -> Mixed:
    job_ids = choices.several(choices.uuid, 6, least=1)
    # Sometimes a duplicate.
    job_ids += job_ids[: max(0, choices.below(8) - 5)]
    parts = [written(choices, job_id) for job_id in job_ids]
    if choices.below(2):
        indent = choices.one_of((None, 2))
        return json.dumps(parts, ensure_ascii=choices.below(2) == 1, indent=indent), job_ids
    start, end = choices.one_of(("", " ", "\n")), choices.one_of(("", ",", "\n"))
    for at in range(len(parts) - 1):
        parts[at] += "".join(choices.several(lambda: choices.one_of(SEPARATORS), 4, least=1))
    return start + "".join(parts) + end, job_ids


def nested(choices: Choices) -> Mixed:
    def grow(inner: Callable[[], Mixed]) -> Mixed:
        pairs = choices.several(inner, 4, least=1)
        return [each for each, _ in pairs], [job_id for _, job_ids in pairs for job_id in job_ids]

    return choices.tree(lambda: text_of(choices), grow, levels=4)


@quickly
@given(made_of(nested, 1000))
def test_any_spelling_of_ids_gives_the_same_ids_in_order_without_duplicates(mixed: Mixed) -> None:
    assert parse_job_ids(mixed[0]) == list(dict.fromkeys(mixed[1]))


@quickly
@given(made_of(nested, 1000))
def test_parsing_parsed_ids_again_changes_nothing(mixed: Mixed) -> None:
    once = parse_job_ids(mixed[0])
    assert parse_job_ids(once) == parse_job_ids("\n".join(once)) == parse_job_ids(json.dumps(once)) == once


def one_wrong(choices: Choices) -> tuple[list[str], int]:
    """Return items with one wrong item, and its position."""
    wrong = "".join(choices.several(lambda: choices.one_of("xyz*?/+"), 40, least=1))
    good = choices.several(choices.uuid, 5)
    at = choices.below(len(good) + 1)
    return [*good[:at], wrong, *good[at:]], at


@quickly
@given(made_of(one_wrong, 140))
def test_the_error_names_one_wrong_item_among_valid_ones_with_its_position(case: tuple[list[str], int]) -> None:
    mixed, at = case
    for given_ in (mixed, "\n".join(mixed), json.dumps(mixed)):
        with pytest.raises(InvalidJobIds) as refused:
            parse_job_ids(given_)
        assert f"1 of {len(mixed)} is not a job id: item {at + 1}: “" in refused.value.message


def json_or_repr(value: list[object]) -> str:
    """Return the value as JSON, or as `repr` if that fails. Text inputs receive both."""
    try:
        return json.dumps(value)
    except TypeError:
        return repr(value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner) | st.lists(inner).map(json_or_repr),
    max_leaves=20,
)


@quickly
@given(ANYTHING)
def test_invalid_ids_raise_no_error_other_than_a_refusal(anything: object) -> None:
    found: list[str] = []
    refused: InputRefused | None = None
    try:
        found = parse_job_ids(anything)
    except InputRefused as error:
        refused = error
    assert refused is None or (refused.message and refused.hint and str(refused).isprintable())
    assert all(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in found)


def many(count: int) -> list[str]:
    return [f"{number:08x}-0000-4000-8000-000000000000" for number in range(count)]


@pytest.mark.parametrize("form", [list, "\n".join, ", ".join, json.dumps, lambda ids: [json.dumps(ids)]])
def test_at_most_200_000_ids_are_accepted_in_every_form(
    form: Callable[[list[str]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_IDS == 200_000
    monkeypatch.setattr("cloud_history.jobs.ids.MAX_IDS", 1000)
    assert len(parse_job_ids(form(many(1000)))) == 1000
    with pytest.raises(TooManyJobIds, match="At most 1,000 job ids can be given at once"):
        parse_job_ids(form(many(1001)))


@pytest.mark.parametrize("text", ["x" * (MAX_CHARACTERS + 1), "[" * (MAX_CHARACTERS + 1), A + " " * MAX_CHARACTERS])
def test_a_text_longer_than_the_maximum_is_refused_without_parsing(text: str) -> None:
    with pytest.raises(TooManyJobIds):
        parse_job_ids(text, pause=lambda: pytest.fail("it was read"))


class Enough(Exception):
    pass


@pytest.mark.parametrize("form", [list, "\n".join, json.dumps])
def test_reading_many_ids_can_be_stopped(form: Callable[[list[str]], object]) -> None:
    asked = 0

    def pause() -> None:
        nonlocal asked
        asked += 1
        if asked > 100:
            raise Enough

    with pytest.raises(Enough):
        parse_job_ids(form(many(5_000)), pause)


def test_the_error_names_ten_of_many_wrong_ids_and_counts_all() -> None:
    with pytest.raises(InvalidJobIds) as caught:
        parse_job_ids(["x"] * 60_000 + [A])
    assert caught.value.values["wrong"] == 60_000
    assert "60,000 of 60,001 are not job ids: item 1: " in caught.value.message
    assert caught.value.message.endswith("; and 59,990 more.")
