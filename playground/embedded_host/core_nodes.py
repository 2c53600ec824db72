"""The few nodes of ComfyUI itself that graphs around the pack use, under the same ids and inputs."""

from __future__ import annotations

import json
from typing import Any

from .registry import NodeRegistry


class AnyType(str):
    """The type `*`: equal to every other type."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


class PrimitiveString:
    """One text."""

    CATEGORY = "utils/primitive"
    RETURN_TYPES = ("STRING",)
    FUNCTION = "give"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The text."""
        return {"required": {"value": ("STRING", {"default": ""})}}

    def give(self, value: str) -> tuple[str]:
        """The text as it is."""
        return (value,)


class PrimitiveStringMultiline(PrimitiveString):
    """One text of several lines."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The text."""
        return {"required": {"value": ("STRING", {"default": "", "multiline": True})}}


class PreviewAny:
    """Shows whatever it is given as text."""

    CATEGORY = "utils"
    RETURN_TYPES = ()
    FUNCTION = "show"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Anything."""
        return {"required": {"source": (AnyType("*"), {})}}

    def show(self, source: object = None) -> dict[str, Any]:
        """The value as text, JSON where it can be."""
        text = source if isinstance(source, str) else json.dumps(source, default=str)
        return {"ui": {"text": (text,)}}


def add_core_nodes(registry: NodeRegistry) -> None:
    """Register them."""
    for node in (PrimitiveString, PrimitiveStringMultiline, PreviewAny):
        registry.classes[node.__name__] = node
    registry.display_names.update(
        PrimitiveString="String", PrimitiveStringMultiline="String (Multiline)", PreviewAny="Preview as Text"
    )
