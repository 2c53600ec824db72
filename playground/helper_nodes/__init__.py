"""Nodes that graphs around the pack need and ComfyUI lacks: a list of texts, a node that fails.

A pack of its own, so that the embedded host and a real ComfyUI load it in the same way.
"""

from __future__ import annotations

from typing import Any


class PlaygroundTextList:
    """The lines of a text as a list; no line, no item."""

    CATEGORY = "playground"
    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "give"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The lines."""
        return {"required": {"lines": ("STRING", {"default": "", "multiline": True})}}

    def give(self, lines: str) -> tuple[list[str]]:
        """One item a line."""
        return (lines.splitlines(),)


class PlaygroundFail:
    """Raises an error with the given message."""

    CATEGORY = "playground"
    RETURN_TYPES = ("STRING",)
    FUNCTION = "fail"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """The message."""
        return {"required": {"message": ("STRING", {"default": "failed on purpose"})}}

    def fail(self, message: str) -> tuple[str]:
        """Never returns."""
        raise RuntimeError(message)


NODE_CLASS_MAPPINGS = {"PlaygroundTextList": PlaygroundTextList, "PlaygroundFail": PlaygroundFail}
NODE_DISPLAY_NAME_MAPPINGS = {"PlaygroundTextList": "Text List", "PlaygroundFail": "Fail"}
