"""The node Delete Cloud Jobs."""

from __future__ import annotations

from typing import ClassVar

from ..cloud_history.deletion.outcomes import Skipped
from ..cloud_history.deletion.report import (
    NOTHING_TO_DELETE,
    SKIPPED,
    dry_run_report,
    incomplete,
    result_report,
    stopped_report,
)
from ..cloud_history.errors import OperationStopped
from ..comfy_host import NodeWatch, graph_deletions, operations, requesting_node
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
from .job_ids import check_job_ids, job_ids_input, read_in_thread


class DeleteCloudJobs(CloudHistoryNode):
    """Removes given jobs from the Comfy Cloud history."""

    DESCRIPTION = (
        "Removes the given jobs from your Comfy Cloud history. Their outputs stay in your assets. "
        "Active jobs are left alone by Comfy Cloud. It can’t be undone."
    )
    SEARCH_ALIASES: ClassVar[list[str]] = ["cloud history", "delete job", "remove job", "comfy cloud", "job id"]
    RETURN_TYPES = (ANY, "STRING", "INT")
    RETURN_NAMES = ("after", "report", "deleted")
    OUTPUT_IS_LIST = (True, False, False)
    OUTPUT_TOOLTIPS = (
        AFTER_TOOLTIP,
        REPORT_TOOLTIP,
        "How many jobs are gone, by looking before and after. 0 for a dry run.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return {
            "required": {
                "job_ids": job_ids_input(
                    "The ids of the jobs to delete: on lines, with commas or spaces between them, as a JSON array, or "
                    "linked. If one of them is not a job id, nothing is sent."
                ),
                "dry_run": ("BOOLEAN", {"default": False, "tooltip": "Says what would be sent, and sends nothing."}),
            },
            "optional": {"after": (ANY, AFTER_INPUT), "backup": BACKUP_INPUT},
        }

    @classmethod
    def VALIDATE_INPUTS(cls, job_ids: object = None) -> bool | str:
        return check_job_ids(job_ids)

    async def run(
        self, job_ids: object = None, dry_run: object = None, after: list[object] | None = None, backup: object = None
    ) -> Output:
        watch = NodeWatch()
        try:
            ids = await read_in_thread(job_ids, watch)
        except OperationStopped:
            await watch.end_stopped(stopped_report())
            raise
        kept_first = chosen_backup(backup)
        if only_boolean(dry_run, "dry_run"):
            report = dry_run_report(ids, await operations().protected())
            return outputs(after, report, report, 0)
        if not ids:
            return outputs(after, NOTHING_TO_DELETE, NOTHING_TO_DELETE, 0)
        try:
            result = await graph_deletions().delete(ids, requesting_node("Delete Cloud Jobs"), watch, backup=kept_first)
        except OperationStopped:
            await watch.end_stopped(stopped_report(ids))
            raise
        if isinstance(result, Skipped):
            return outputs(after, SKIPPED, SKIPPED, 0)
        report = result_report(result)
        await watch.end_stopped(report)
        if result.failed:
            raise incomplete(result)
        return outputs(after, report, report, result.removed or 0)
