"""The node Clear Cloud History."""

from __future__ import annotations

from typing import ClassVar

from ..cloud_history.deletion.outcomes import Skipped
from ..cloud_history.deletion.report import NOT_CLEARED, SKIPPED, incomplete, result_report, stopped_report
from ..cloud_history.errors import OperationStopped
from ..comfy_host import NodeWatch, graph_deletions, requesting_node
from .base import (
    AFTER_INPUT,
    AFTER_TOOLTIP,
    ANY,
    BACKUP_INPUT,
    REPORT_TOOLTIP,
    CloudHistoryNode,
    Inputs,
    Output,
    chosen_backup,
    only_boolean,
    outputs,
)


class ClearCloudHistory(CloudHistoryNode):
    """Removes every finished job from the Comfy Cloud history."""

    DESCRIPTION = (
        "Removes every completed, failed and cancelled job from your Comfy Cloud history, at each run, while “clear” "
        "is on. Active jobs and all assets stay. It can’t be undone."
    )
    SEARCH_ALIASES: ClassVar[list[str]] = ["cloud history", "clear history", "delete all jobs", "comfy cloud"]
    RETURN_TYPES = (ANY, "STRING", "INT")
    RETURN_NAMES = ("after", "report", "deleted")
    OUTPUT_IS_LIST = (True, False, False)
    OUTPUT_TOOLTIPS = (AFTER_TOOLTIP, REPORT_TOOLTIP, "How many finished jobs are gone, by counting before and after.")

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return {
            "required": {
                "clear": (
                    "BOOLEAN",
                    {
                        "default": False,
                        "label_on": "clear everything",
                        "label_off": "do nothing",
                        "tooltip": "On: each run removes every finished job from your cloud history. Off: nothing is "
                        'sent. Take care in API graphs: ComfyUI reads the text "false" as true.',
                    },
                )
            },
            "optional": {"after": (ANY, AFTER_INPUT), "backup": BACKUP_INPUT},
        }

    async def run(self, clear: object = None, after: list[object] | None = None, backup: object = None) -> Output:
        kept_first = chosen_backup(backup)
        if not only_boolean(clear, "clear"):
            return outputs(after, NOT_CLEARED, NOT_CLEARED, 0)
        watch = NodeWatch()
        try:
            result = await graph_deletions().clear(requesting_node("Clear Cloud History"), watch, backup=kept_first)
        except OperationStopped:
            await watch.end_stopped(stopped_report())
            raise
        if isinstance(result, Skipped):
            return outputs(after, SKIPPED, SKIPPED, 0)
        report = result_report(result)
        await watch.end_stopped(report)
        if result.failed:
            raise incomplete(result)
        return outputs(after, report, report, result.removed or 0)
