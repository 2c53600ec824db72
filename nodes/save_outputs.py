"""The node Save Cloud Outputs."""

from __future__ import annotations

from typing import ClassVar

from ..cloud_history.errors import Incomplete, OperationStopped
from ..comfy_host import NodeWatch, operations, requesting_node
from .base import (
    AFTER_INPUT,
    AFTER_TOOLTIP,
    ANY,
    REPORT_TOOLTIP,
    CloudHistoryNode,
    Inputs,
    Output,
    outputs,
)
from .job_ids import check_job_ids, job_ids_input, read_in_thread

NAME = "Save Cloud Outputs"


class SaveCloudOutputs(CloudHistoryNode):
    """Saves the outputs of given jobs to ComfyUI's output folder."""

    DESCRIPTION = (
        "Saves the outputs of the given jobs from Comfy Cloud on this server, and checks each file. "
        "Its job_ids wire straight into Delete Cloud Jobs. It deletes nothing."
    )
    SEARCH_ALIASES: ClassVar[list[str]] = [
        "cloud history",
        "save outputs",
        "download outputs",
        "download images",
        "comfy cloud",
    ]
    RETURN_TYPES = (ANY, "STRING", "STRING", "STRING", "INT")
    RETURN_NAMES = ("after", "job_ids", "paths", "report", "saved")
    OUTPUT_IS_LIST = (True, True, True, False, False)
    OUTPUT_TOOLTIPS = (
        AFTER_TOOLTIP,
        "The ids of the jobs whose outputs are all here and checked.",
        "The saved files, as paths on this server.",
        REPORT_TOOLTIP,
        "How many files are here: saved now or before.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return {
            "required": {
                "job_ids": job_ids_input(
                    "The ids of the jobs whose outputs to save: on lines, with commas or spaces between them, as a "
                    "JSON array, or linked. If one of them is not a job id, nothing is saved."
                ),
            },
            "optional": {"after": (ANY, AFTER_INPUT)},
        }

    @classmethod
    def VALIDATE_INPUTS(cls, job_ids: object = None) -> bool | str:
        return check_job_ids(job_ids)

    async def run(self, job_ids: object = None, after: list[object] | None = None) -> Output:
        # Imported here, because ComfyUI's start must not wait for modules that only this node needs.
        from ..cloud_history.outputs.report import NOTHING_TO_SAVE, save_report, stopped_report
        from ..cloud_history.outputs.request import SaveRequest

        watch = NodeWatch()
        try:
            ids = await read_in_thread(job_ids, watch)
            if not ids:
                return outputs(after, NOTHING_TO_SAVE, [], [], NOTHING_TO_SAVE, 0)
            requester = requesting_node(NAME)
            connection = await operations().find_connection(requester.key)
            request = SaveRequest(ids, connection, requester.origin)
            result = await operations().save_outputs(request, watch)
        except OperationStopped:
            await watch.end_stopped(stopped_report())
            raise
        report = save_report(result)
        await watch.end_stopped(report)
        if result.failed:
            raise Incomplete(report)
        paths = result.paths()
        return outputs(after, report, result.whole_ids, paths, report, len(paths))
