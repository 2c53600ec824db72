"""The interface of every node that saved workflows depend on and that never changes."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

NODES = (
    "CloudHistoryDeleteJobs",
    "CloudHistoryClear",
    "CloudHistoryListJobs",
    "CloudHistoryPrune",
    "CloudHistorySaveOutputs",
)
CHANGING = NODES[:2]


@pytest.fixture(params=NODES)
def node(request: pytest.FixtureRequest, pack: Any) -> Any:
    """Return each node class in turn."""
    return pack.NODE_CLASS_MAPPINGS[request.param]


def test_the_ids_and_display_names_of_the_nodes_never_change(pack: Any) -> None:
    assert list(pack.NODE_CLASS_MAPPINGS) == list(NODES)
    assert pack.NODE_DISPLAY_NAME_MAPPINGS == {
        "CloudHistoryDeleteJobs": "Delete Cloud Jobs",
        "CloudHistoryClear": "Clear Cloud History",
        "CloudHistoryListJobs": "List Cloud Jobs",
        "CloudHistoryPrune": "Clean Up Cloud History",
        "CloudHistorySaveOutputs": "Save Cloud Outputs",
    }


def test_every_node_runs_once_per_queued_prompt_and_is_never_cached(node: Any) -> None:
    assert node.OUTPUT_NODE is True
    assert node.INPUT_IS_LIST is True
    assert node.NOT_IDEMPOTENT is True
    assert node.CATEGORY == "cloud history"
    assert inspect.iscoroutinefunction(getattr(node, node.FUNCTION))
    assert not hasattr(node, "API_NODE")


def test_is_changed_returns_a_new_json_value_at_each_call(node: Any) -> None:
    values = [node.IS_CHANGED(job_ids=(None,), clear=[True], after=None, anything=1) for _ in range(100)]
    assert len(set(values)) == 100
    assert all(isinstance(value, str) and len(value) == 32 and int(value, 16) >= 0 for value in values)
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_every_node_passes_after_through_as_its_first_output(node: Any) -> None:
    assert (node.RETURN_NAMES[0], node.RETURN_TYPES[0], node.OUTPUT_IS_LIST[0]) == ("after", "*", True)
    assert len(node.RETURN_TYPES) == len(node.OUTPUT_IS_LIST) == len(node.RETURN_NAMES)
    assert len(node.OUTPUT_TOOLTIPS) == len(node.RETURN_NAMES)
    assert all(node.OUTPUT_TOOLTIPS)


def test_the_any_type_matches_every_other_type_in_both_directions(node: Any) -> None:
    any_type = node.INPUT_TYPES()["optional"]["after"][0]
    assert any_type == "*"
    for other in ("IMAGE", "STRING", "*", ""):
        # ComfyUI compares types with `!=` in either order, and both must return False.
        assert not any_type != other  # noqa: SIM202
        assert not other != any_type  # noqa: SIM202
    assert any_type is node.RETURN_TYPES[0]
    assert {any_type: 1}["*"] == 1


def test_every_input_has_a_tooltip_and_optional_inputs_start_with_after_and_backup(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    for group in inputs.values():
        for _, options in group.values():
            assert len(options["tooltip"]) > 20
    optional = list(inputs["optional"])
    assert optional == ["after"] or optional[:2] == ["after", "backup"]
    assert "hidden" not in inputs
    assert "erase" not in node.DESCRIPTION.lower()


@pytest.mark.parametrize("name", CHANGING)
def test_the_backup_input_of_deleting_nodes_follows_the_setting_by_default(pack: Any, name: str) -> None:
    words, options = pack.NODE_CLASS_MAPPINGS[name].INPUT_TYPES()["optional"]["backup"]
    assert words == ["setting", "off", "workflows", "outputs"]
    assert options["default"] == "setting"


@pytest.mark.parametrize("name", CHANGING)
def test_deleting_nodes_mention_assets_and_output_the_number_of_deleted_jobs(pack: Any, name: str) -> None:
    node = pack.NODE_CLASS_MAPPINGS[name]
    assert node.RETURN_NAMES == ("after", "report", "deleted")
    assert node.RETURN_TYPES == ("*", "STRING", "INT")
    assert node.OUTPUT_IS_LIST == (True, False, False)
    assert "assets" in node.DESCRIPTION
    assert "can’t be undone" in node.DESCRIPTION


def test_every_node_has_search_aliases_for_cloud_history(node: Any) -> None:
    assert "cloud history" in node.SEARCH_ALIASES
    assert "comfy cloud" in node.SEARCH_ALIASES
    assert len(set(node.SEARCH_ALIASES)) == len(node.SEARCH_ALIASES)


def test_the_class_attributes_of_a_node_are_valid_json(node: Any) -> None:
    shown = [
        node.INPUT_TYPES(),
        node.RETURN_TYPES,
        node.OUTPUT_TOOLTIPS,
        node.SEARCH_ALIASES,
        node.DESCRIPTION,
    ]
    assert json.loads(json.dumps(shown, allow_nan=False))[1] == list(node.RETURN_TYPES)


def test_a_new_node_has_no_instance_attributes(node: Any) -> None:
    made = node()
    assert vars(made) == {}


@pytest.mark.parametrize(
    "values",
    [
        None,
        [],
        (None,),
        [None],
        [True, True],
        [True, False],
        ["false"],
        ["true"],
        [1],
        [0],
        [1.0],
        "true",
        True,
    ],
)
def test_a_boolean_input_other_than_one_true_or_false_is_refused(values: object, pack_module: Any) -> None:
    base, errors = pack_module("nodes.base"), pack_module("cloud_history.errors")
    with pytest.raises(errors.InputRefused) as refused:
        base.only_boolean(values, "clear")
    assert refused.value.message == "“clear” must be exactly one true or false. Nothing was sent."
    assert refused.value.hint


def test_a_single_boolean_input_is_accepted(pack_module: Any) -> None:
    base = pack_module("nodes.base")
    assert base.only_boolean([True], "clear") is True
    assert base.only_boolean((False,), "clear") is False


@pytest.mark.parametrize(
    ("after", "handed_on"),
    [(None, [None]), ([], []), (["a", 2, None], ["a", 2, None]), ((None,), [None]), ([[1, 2]], [[1, 2]])],
)
def test_the_after_input_is_returned_unchanged(after: Any, handed_on: object, pack_module: Any) -> None:
    made = pack_module("nodes.base").outputs(after, "Done.", ["x"], "Done.", 3)
    assert made == {"ui": {"text": ["Done."]}, "result": (handed_on, ["x"], "Done.", 3)}
