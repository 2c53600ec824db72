"""The node Clear Cloud History, against a simulated Comfy Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import message_only

pytestmark = pytest.mark.usefixtures("connected", "at_once")

HISTORY = ("POST", "/api/history")


@pytest.fixture
def node(pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryClear"]()


def test_the_inputs_and_defaults_of_the_node_never_change(node: Any) -> None:
    inputs = node.INPUT_TYPES()
    assert list(inputs) == ["required", "optional"]
    assert list(inputs["required"]) == ["clear"]
    kind, options = inputs["required"]["clear"]
    assert kind == "BOOLEAN"
    assert options["default"] is False
    assert (options["label_on"], options["label_off"]) == ("clear everything", "do nothing")
    assert '"false"' in options["tooltip"]
    assert {"clear history", "delete all jobs"} <= set(node.SEARCH_ALIASES)


async def test_the_clear_node_removes_and_counts_finished_jobs_and_leaves_active_ones(
    node: Any, cloud: SimulatedCloud
) -> None:
    finished, active = len(cloud.finished), len(cloud.active)
    made = await node.run(clear=[True], after=["saved"])
    assert cloud.history_posts == [{"clear": True}]
    assert (cloud.finished, len(cloud.active)) == ([], active)
    report = f"{finished} jobs removed from your cloud history. Assets stay.\n{active} jobs active, left alone."
    assert made == {"ui": {"text": [report]}, "result": (["saved"], report, finished)}
    assert cloud.forbidden_calls == 0


async def test_clearing_an_already_cleared_history_sends_no_request(node: Any, cloud: SimulatedCloud) -> None:
    await node.run(clear=[True])
    made = await node.run(clear=[True])
    assert len(cloud.history_posts) == 1
    assert made["result"][1].startswith("Nothing to clear: your cloud history has no finished jobs.")
    assert made["result"][0] == [None]
    assert made["result"][2] == 0


async def test_the_clear_node_sends_no_request_if_its_input_is_off(node: Any, cloud: SimulatedCloud) -> None:
    made = await node.run(clear=[False], after=[1])
    text = "“clear” is off. Nothing was sent."
    assert made == {"ui": {"text": [text]}, "result": ([1], text, 0)}
    assert cloud.requests == []


async def test_the_clear_node_sends_no_request_if_its_input_is_missing(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    with pytest.raises(errors.InputRefused):
        await node.run()
    assert cloud.requests == []


async def test_the_error_of_a_refused_clear_gives_the_reason_and_hides_the_key(
    node: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    cloud.faults.append(Fault.shaped(HISTORY, message_only(403, f"not with {cloud.api_key}")))
    with pytest.raises(errors.Incomplete) as ended:
        await node.run(clear=[True])
    assert str(ended.value).startswith("No job was removed.\nThis key can’t manage your history.")
    assert cloud.api_key not in str(ended.value)
    assert len(cloud.finished) > 0


@pytest.mark.parametrize("acted", [True, False])
async def test_after_a_lost_answer_the_history_is_counted_and_the_clear_is_not_sent_again(
    node: Any, cloud: SimulatedCloud, errors: Any, acted: bool
) -> None:
    finished = len(cloud.finished)
    cloud.faults.append(Fault(HISTORY, "reset_after_body", acted=acted))
    if acted:
        made = await node.run(clear=[True])
        assert made["result"][2] == finished
    else:
        with pytest.raises(errors.Incomplete) as ended:
            await node.run(clear=[True])
        assert f"{finished} jobs still listed" in str(ended.value)
    assert len(cloud.history_posts) == 1
