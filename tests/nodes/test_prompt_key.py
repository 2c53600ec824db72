"""The API key that ComfyUI passes on with a prompt, and ComfyUI with several users."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from simulated_cloud import SimulatedCloud
from support.fake_comfyui import FakeComfyUI

pytestmark = pytest.mark.usefixtures("comfyui", "connected")

OTHER = "comfyui-another-persons-key-0123456789"
NAME = "api_key_comfy_org"


def older(key: str, prompt_id: str = "p") -> Any:
    """Return a running prompt as older ComfyUI keeps it, with the key in the extra data."""
    return (1.0, prompt_id, {}, {NAME: key, "client_id": "browser-1"}, ["12"])


def newer(key: str) -> Any:
    """Return a running prompt as newer ComfyUI keeps it, with the key in a separate dict of secrets."""
    return (1.0, "p", {}, {"client_id": "browser-1"}, ["12"], {NAME: key})


def wrapped(key: str) -> Any:
    """Return a running prompt as the packaged edition of ComfyUI keeps it."""

    class Item(dict):  # type: ignore[type-arg]
        queue_tuple = newer(key)

    return Item(prompt_id="p")


@pytest.fixture
def keyless(connected: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFY_CLOUD_API_KEY")


@pytest.fixture
def nodes(pack: Any) -> Any:
    return {name: node() for name, node in pack.NODE_CLASS_MAPPINGS.items()}


def run(nodes: Any, name: str, cloud: SimulatedCloud) -> Any:
    inputs: dict[str, dict[str, Any]] = {
        "CloudHistoryDeleteJobs": {"job_ids": [cloud.finished[0].id], "dry_run": [False]},
        "CloudHistoryClear": {"clear": [True]},
        "CloudHistoryListJobs": {"status": ["any"], "older_than": [""], "workflow_id": [""], "limit": [0]},
    }
    return nodes[name].run(**inputs[name])


NODES = ("CloudHistoryListJobs", "CloudHistoryDeleteJobs", "CloudHistoryClear")


@pytest.mark.usefixtures("keyless")
@pytest.mark.parametrize("form", [older, newer, wrapped])
async def test_without_another_key_the_prompt_key_is_used_in_every_queue_format(
    comfyui: FakeComfyUI, nodes: Any, cloud: SimulatedCloud, form: Any
) -> None:
    comfyui.running[7] = form(cloud.api_key)
    for name in NODES:
        await run(nodes, name, cloud)
    assert [list(body) for body in cloud.history_posts] == [["delete"], ["clear"]]
    assert cloud.api_key not in json.dumps(comfyui.sent)


@pytest.mark.usefixtures("keyless")
async def test_the_prompt_key_is_found_if_comfyui_keeps_prompts_as_tasks(
    comfyui: FakeComfyUI, nodes: Any, cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    context = SimpleNamespace(task_id="p", node_id="12", list_index=0)
    monkeypatch.setattr(sys.modules["comfy_execution.utils"], "get_executing_context", lambda: context)
    comfyui.running["p"] = wrapped(cloud.api_key)  # type: ignore[index]
    await run(nodes, "CloudHistoryClear", cloud)
    assert cloud.history_posts == [{"clear": True}]


async def test_a_key_in_the_environment_is_used_instead_of_the_prompt_key(
    comfyui: FakeComfyUI, nodes: Any, cloud: SimulatedCloud
) -> None:
    comfyui.running[7] = older(OTHER)
    await run(nodes, "CloudHistoryListJobs", cloud)


@pytest.mark.usefixtures("keyless")
@pytest.mark.parametrize(
    "item", [older(OTHER, "another prompt"), (1.0, "p", {}, {}, []), older(""), older("two words")]
)
async def test_a_missing_invalid_or_foreign_prompt_key_is_not_used(
    comfyui: FakeComfyUI, nodes: Any, cloud: SimulatedCloud, errors: Any, item: Any
) -> None:
    comfyui.running[7] = item
    for name in NODES:
        with pytest.raises(errors.MissingApiKey):
            await run(nodes, name, cloud)
    assert cloud.requests == []


@pytest.mark.usefixtures("keyless")
async def test_an_auth_token_is_never_used(
    comfyui: FakeComfyUI, nodes: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    comfyui.running[7] = (
        1.0,
        "p",
        {},
        {"auth_token_comfy_org": cloud.api_key},
        [],
        {"auth_token_comfy_org": OTHER},
    )
    with pytest.raises(errors.MissingApiKey):
        await run(nodes, "CloudHistoryClear", cloud)


def test_no_node_takes_the_prompt_key_as_an_input(nodes: Any) -> None:
    assert not [name for name, node in nodes.items() if "hidden" in node.INPUT_TYPES()]


@pytest.fixture
def many(comfyui: FakeComfyUI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a fake ComfyUI that was started with --multi-user."""
    comfyui.multi_user = True
    comfyui.install(monkeypatch)


@pytest.mark.usefixtures("many")
async def test_with_several_users_a_shared_key_is_refused_with_an_explanation(
    nodes: Any, cloud: SimulatedCloud, errors: Any
) -> None:
    for name in NODES:
        with pytest.raises(errors.SharedKeyRefused) as ended:
            await run(nodes, name, cloud)
        assert "--multi-user" in str(ended.value)
        assert "COMFY_CLOUD_HISTORY_SHARED=1" in str(ended.value)
    assert cloud.requests == []


@pytest.mark.usefixtures("many")
async def test_with_several_users_the_key_of_the_prompt_is_used(
    comfyui: FakeComfyUI, nodes: Any, cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_API_KEY", OTHER)
    comfyui.running[7] = newer(cloud.api_key)
    for name in NODES:
        await run(nodes, name, cloud)
    assert len(cloud.history_posts) == 2
