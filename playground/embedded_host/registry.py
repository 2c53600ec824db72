"""What the loaded packs offer: node classes, their titles, their web folders."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NodeClass = type[Any]


@dataclass
class NodeRegistry:
    """Everything found while loading; the counterpart of the mappings in ComfyUI's module `nodes`."""

    classes: dict[str, NodeClass] = field(default_factory=dict)
    display_names: dict[str, str] = field(default_factory=dict)
    web_dirs: dict[str, Path] = field(default_factory=dict)
    pack_dirs: dict[str, Path] = field(default_factory=dict)

    def input_types(self, class_type: str) -> dict[str, Any]:
        """The node's `INPUT_TYPES()`, asked anew at each call as ComfyUI does."""
        declared: dict[str, Any] = self.classes[class_type].INPUT_TYPES()
        return declared

    def is_output(self, class_type: str) -> bool:
        """Whether a run may start from this node."""
        return getattr(self.classes[class_type], "OUTPUT_NODE", False) is True


def describe_node(class_type: str, registry: NodeRegistry) -> dict[str, Any]:
    """One entry of `GET /object_info`."""
    node = registry.classes[class_type]
    inputs = registry.input_types(class_type)
    outputs = node.RETURN_TYPES
    info = {
        "input": inputs,
        "input_order": {group: list(names) for group, names in inputs.items()},
        "output": outputs,
        "output_is_list": getattr(node, "OUTPUT_IS_LIST", [False] * len(outputs)),
        "output_name": getattr(node, "RETURN_NAMES", outputs),
        "name": class_type,
        "display_name": registry.display_names.get(class_type, class_type),
        "description": getattr(node, "DESCRIPTION", ""),
        "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
        "category": getattr(node, "CATEGORY", "sd"),
        "output_node": registry.is_output(class_type),
    }
    if hasattr(node, "OUTPUT_TOOLTIPS"):
        info["output_tooltips"] = node.OUTPUT_TOOLTIPS
    if hasattr(node, "SEARCH_ALIASES"):
        info["search_aliases"] = node.SEARCH_ALIASES
    return info
