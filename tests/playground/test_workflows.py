"""Workflows that a person may open have every field that ComfyUI's frontend checks, so that no alert appears."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from embedded_host import NodeRegistry
from hosts import CHECKOUT
from simulated_cloud import SimulatedCloud
from simulated_cloud.workflows import workflow_of

EXAMPLES = sorted((CHECKOUT / "example_workflows").glob("*.json"))


def missing(workflow: Mapping[str, Any]) -> set[str]:
    """Return the fields that the frontends 1.27 to 1.58 require and a saved workflow lacks."""
    wanted = {"last_node_id", "last_link_id", "nodes", "links", "version"}
    lacking = {name for name in wanted if name not in workflow}
    for node in workflow["nodes"]:
        fields = ("id", "type", "pos", "size", "flags", "order", "mode", "properties")
        lacking |= {f"nodes.{name}" for name in fields if name not in node}
    return lacking


def test_workflows_of_the_simulated_cloud_are_complete() -> None:
    finished = SimulatedCloud(jobs=240).finished
    nameless = next(job for job in finished if job.workflow_id is None)
    named = next(job for job in finished if job.workflow_id is not None)
    for job in (named, nameless):
        workflow = workflow_of(job)["extra_data"]["extra_pnginfo"]["workflow"]
        assert missing(workflow) == set()
        # The id is a UUID or missing, because the frontend refuses null.
        assert "id" not in workflow or str(UUID(workflow["id"])) == workflow["id"]
        assert workflow["last_node_id"] == max(node["id"] for node in workflow["nodes"])


def test_workflows_of_the_simulated_cloud_have_only_nodes_that_the_embedded_host_draws() -> None:
    registry = NodeRegistry()
    for job in SimulatedCloud(jobs=240).finished:
        graph = workflow_of(job)
        nodes = {node["id"]: node for node in graph["extra_data"]["extra_pnginfo"]["workflow"]["nodes"]}
        # The frontend brings the note.
        assert {node["type"] for node in nodes.values()} - {"Note"} <= set(registry.classes)
        for number, node in graph["prompt"].items():
            inputs = registry.input_types(node["class_type"])["required"]
            assert set(node["inputs"]) == set(inputs)
            drawn = {slot["name"]: slot["type"] for slot in nodes[int(number)]["inputs"]}
            assert drawn == {name: inputs[name][0] for name, given in node["inputs"].items() if isinstance(given, list)}
            outputs = registry.classes[node["class_type"]].RETURN_TYPES
            assert tuple(slot["type"] for slot in nodes[int(number)]["outputs"]) == outputs
            for name, kind in inputs.items():
                assert not isinstance(kind[0], list) or node["inputs"][name] in kind[0], (
                    "the frontend would miss a file"
                )


def test_each_example_workflow_has_a_picture_of_its_own() -> None:
    pictures = [file.with_suffix(".jpg").read_bytes() for file in EXAMPLES]
    assert all(picture.startswith(b"\xff\xd8\xff") for picture in pictures)
    assert len(set(pictures)) == len(EXAMPLES)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_example_workflows_are_complete(file: Any) -> None:
    assert missing(json.loads(file.read_text("utf-8"))) == set()
