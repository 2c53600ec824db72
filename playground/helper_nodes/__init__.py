"""Nodes for the tests that ComfyUI lacks: a list of texts, and a node that fails.

They are a pack, so that the embedded host and a real ComfyUI load them in the same way.
"""

from __future__ import annotations

from typing import Any


class PlaygroundTextList:
    """Gives the lines of a text as a list, which is empty for an empty text."""

    CATEGORY = "playground"
    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "give"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Declare the text."""
        return {"required": {"lines": ("STRING", {"default": "", "multiline": True})}}

    def give(self, lines: str) -> tuple[list[str]]:
        """Return one item for each line."""
        return (lines.splitlines(),)


class PlaygroundFail:
    """Raises an error with the given message."""

    CATEGORY = "playground"
    RETURN_TYPES = ("STRING",)
    FUNCTION = "fail"
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """Declare the message."""
        return {"required": {"message": ("STRING", {"default": "failed on purpose"})}}

    def fail(self, message: str) -> tuple[str]:
        """Raise the error."""
        raise RuntimeError(message)


NODE_CLASS_MAPPINGS = {"PlaygroundTextList": PlaygroundTextList, "PlaygroundFail": PlaygroundFail}
NODE_DISPLAY_NAME_MAPPINGS = {"PlaygroundTextList": "Text List", "PlaygroundFail": "Fail"}
