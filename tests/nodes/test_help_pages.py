"""Every node has a help page, which names exactly its inputs and outputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "js" / "docs"
DELETING = ("CloudHistoryDeleteJobs", "CloudHistoryClear", "CloudHistoryPrune")
NODES = (*DELETING, "CloudHistoryListJobs", "CloudHistorySaveOutputs")


def named(page: str, heading: str) -> list[str]:
    """Return the names in the table below `heading`."""
    _, _, rest = page.partition(f"## {heading}\n")
    return re.findall(r"^\| `(\w+)` \|", rest.partition("\n## ")[0], re.MULTILINE)


@pytest.mark.parametrize("node_id", NODES)
def test_a_help_page_names_the_inputs_and_outputs_in_order(pack: Any, node_id: str) -> None:
    node = pack.NODE_CLASS_MAPPINGS[node_id]
    page = (DOCS / f"{node_id}.md").read_text(encoding="utf-8")
    inputs = node.INPUT_TYPES()
    assert page.startswith(f"# {pack.NODE_DISPLAY_NAME_MAPPINGS[node_id]}\n")
    assert named(page, "Inputs") == [*inputs["required"], *inputs["optional"]]
    assert named(page, "Outputs") == list(node.RETURN_NAMES)


def test_every_node_has_a_help_page_and_there_are_no_other_pages() -> None:
    # The folder of a node has its page in other languages, which tests/js/help_pages.test.js compares with this one.
    assert {path.stem for path in DOCS.iterdir()} == set(NODES)


@pytest.mark.parametrize("node_id", DELETING)
def test_help_pages_of_deleting_nodes_say_what_is_kept_and_what_approval_cannot_prevent(node_id: str) -> None:
    page = (DOCS / f"{node_id}.md").read_text(encoding="utf-8")
    assert "Kept: your assets." in page
    assert "does not guard against somebody who has access to the server" in page
    assert "COMFY_CLOUD_HISTORY_NODES=allow" in page


def test_the_help_pages_are_in_the_registry_archive() -> None:
    # “docs/” without a slash before it would keep js/docs/ out of the archive as well.
    left_out = (DOCS.parents[1] / ".comfyignore").read_text(encoding="utf-8").split()
    assert "/docs/" in left_out
    assert "docs/" not in left_out
