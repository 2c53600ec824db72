"""The English texts that ComfyUI translates are those of the nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parents[2] / "locales"


def texts_of(node: Any) -> dict[str, Any]:
    """Return a node's texts in the form of `nodeDefs.json`."""
    groups = node.INPUT_TYPES()
    inputs = {**groups["required"], **groups["optional"]}
    outputs = zip(node.RETURN_NAMES, node.OUTPUT_TOOLTIPS, strict=True)
    return {
        "description": node.DESCRIPTION,
        "inputs": {name: {"name": name, "tooltip": options["tooltip"]} for name, (_, options) in inputs.items()},
        "outputs": {str(at): {"name": name, "tooltip": tooltip} for at, (name, tooltip) in enumerate(outputs)},
    }


def test_the_english_translations_are_the_texts_of_the_nodes(pack: Any) -> None:
    english = json.loads((LOCALES / "en" / "nodeDefs.json").read_text("utf-8"))
    names = pack.NODE_DISPLAY_NAME_MAPPINGS
    assert set(english) == set(pack.NODE_CLASS_MAPPINGS)
    for node_id, node in pack.NODE_CLASS_MAPPINGS.items():
        assert english[node_id] == {"display_name": names[node_id], **texts_of(node)}, node_id
