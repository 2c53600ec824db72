"""Redaction removes keys, node inputs of failures and other credentials from a job's details, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.errors import NestedTooDeeply, NotBackedUp
from cloud_history.jobs.redact import MAX_LEVELS, clean_detail, clean_json
from cloud_history.secret import remember
from support.examples import examples

KEY = "comfyui-0123456789abcdef+/x"
quickly = examples(100)
around_the_key = st.builds(
    lambda before, key, after: before + key + after,
    st.text(max_size=5),
    st.sampled_from([KEY, KEY * 2, KEY.replace("+/", "%2B%2F"), KEY[:9], ""]),
    st.text(max_size=5),
)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | around_the_key,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(around_the_key, inner, max_size=4),
    max_leaves=12,
)


def nested(levels: int, inner: Any = 0) -> dict[str, Any]:
    value: Any = inner
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return {"workflow": value}


@quickly
@given(st.dictionaries(around_the_key, any_json, max_size=5))
def test_the_key_is_removed_everywhere_also_in_its_url_encoded_form(detail: dict[str, Any]) -> None:
    remember(KEY)
    kept = clean_json(clean_detail(detail), KEY).decode("ascii")
    assert KEY not in kept
    assert "%2B%2Fx" not in kept


@quickly
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    )
)
def test_values_without_key_or_credentials_are_kept_unchanged(value: Any) -> None:
    detail = {"workflow": value}
    assert clean_detail(detail) == detail
    assert json.loads(clean_json(detail, "comfyui-another-key-altogether")) == detail


@quickly
@given(any_json)
def test_redacting_twice_changes_nothing_more_and_the_original_is_not_modified(value: Any) -> None:
    detail = {"workflow": value, "execution_error": {"current_inputs": value}}
    before = json.dumps(detail)
    remember(KEY)
    once = clean_detail(detail)
    assert clean_detail(once) == once
    assert json.dumps(detail) == before


def test_the_node_inputs_of_a_failure_are_removed_wherever_they_are() -> None:
    inputs = {"current_inputs": {"seed": [1]}, "rest": 1}
    detail = {"execution_error": inputs, "workflow": {"extra": [[inputs]]}, "current_inputs": 1}
    assert clean_detail(detail) == {
        "execution_error": {"rest": 1},
        "workflow": {"extra": [[{"rest": 1}]]},
    }


@pytest.mark.parametrize("extra", [{"auth": "x", "note": 1}, "sk-1", ["sk-1"], {}, None])
def test_only_the_workflow_of_extra_data_is_kept(extra: Any) -> None:
    assert clean_detail({"extra_data": extra, "a": [{"extra_data": extra}]}) == {
        "extra_data": {},
        "a": [{"extra_data": {}}],
    }


@pytest.mark.parametrize("place", ["extra_pnginfo", "nodes", "inputs"])
def test_extra_data_inside_a_workflow_is_kept(place: str) -> None:
    detail = {"workflow": {place: {"1": {"extra_data": {"note": "mine"}}}}}
    assert clean_detail(detail) == detail


def test_fields_with_the_same_names_outside_extra_data_are_kept() -> None:
    detail = {"workflow": {"prompt": {"1": {"inputs": {"max_tokens": 512, "keyframes": [1]}}}}}
    assert clean_detail(detail) == detail


def test_the_key_is_replaced_in_texts_and_in_names() -> None:
    remember(KEY)
    cleaned = clean_detail({"a": f"x{KEY}y", KEY: [f"{KEY}{KEY}"]})
    assert cleaned == {"a": "x[hidden]y", "[hidden]": ["[hidden][hidden]"]}


def test_details_of_up_to_the_maximum_depth_are_kept() -> None:
    clean_json(clean_detail(nested(MAX_LEVELS - 1)), KEY)


@pytest.mark.parametrize("levels", [MAX_LEVELS, 5_000, 200_000])
def test_details_nested_too_deeply_are_refused_without_recursion(levels: int) -> None:
    with pytest.raises(NestedTooDeeply, match="more than 100 levels"):
        clean_detail(nested(levels))


@pytest.mark.parametrize(
    ("key", "value"), [("1234567890123456", 12345678901234567), ("hidden", "hidden"), ("null", None)]
)
def test_a_backup_from_which_the_key_cannot_be_removed_is_not_written(key: str, value: object) -> None:
    remember(key)
    with pytest.raises(NotBackedUp, match="API key"):
        clean_json(clean_detail({"a": value}), key)


def test_a_workflow_inside_extra_data_is_kept_whole() -> None:
    remember(KEY)
    canvas = {"nodes": [{"widgets": {"max_tokens": 5, "keyframes": [1]}}], "note": f"use {KEY}"}
    extra = {"api_key_comfy_org": "another", "Token": 1, "extra_pnginfo": {"workflow": canvas}}
    kept = clean_detail({"workflow": {"extra_data": extra}})["workflow"]["extra_data"]
    assert set(kept) == {"extra_pnginfo"}
    assert kept["extra_pnginfo"]["workflow"]["nodes"] == canvas["nodes"]
    assert kept["extra_pnginfo"]["workflow"]["note"] == "use [hidden]"
