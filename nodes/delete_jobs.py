"""The node Delete Cloud Jobs."""

from __future__ import annotations

from collections.abc import Callable
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
from ..cloud_history.errors import InputRefused, OperationStopped
from ..cloud_history.jobs.ids import parse_job_ids
from ..cloud_history.json_pieces import ThreadPauses
from ..cloud_history.tasks.stopping import run_stoppable
from ..cloud_history.tasks.threads import MAX_SECONDS_OF_LONG_WORK, compute_in_thread
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

SHORT_TEXT = 40_000
"""Maximum number of characters, about a thousand ids, to parse on ComfyUI's event loop while it validates a prompt."""


def read_job_ids(given: object, pause: Callable[[], None] = lambda: None) -> list[str]:
    """Parse job ids. Raise InputRefused if one is invalid. The error does not show a key that was pasted by mistake."""
    operations().keys.remember()
    return parse_job_ids(given, pause)


async def read_in_thread(given: object, watch: NodeWatch) -> list[str]:
    """Parse job ids in a thread. Raise InputRefused if an id is invalid, OperationStopped if the person stops it."""
    ended = False
    pauses = ThreadPauses()

    def pause() -> None:
        pauses()
        if ended:
            raise OperationStopped()

    try:
        return await run_stoppable(compute_in_thread(read_job_ids, given, pause), watch, MAX_SECONDS_OF_LONG_WORK)
    finally:
        ended = True


def is_short(given: object) -> bool:
    """Return whether job ids are few enough to be parsed while ComfyUI validates a prompt."""
    texts = given if isinstance(given, (list, tuple)) else [given]
    if len(texts) > SHORT_TEXT or any(isinstance(each, (list, tuple)) for each in texts):
        return False
    return sum(len(each) for each in texts if isinstance(each, str)) <= SHORT_TEXT


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
                "job_ids": (
                    "STRING",
                    {
                        "multiline": True,
                        "default": "",
                        "placeholder": "Job IDs, one a line",
                        "tooltip": "The ids of the jobs to delete: on lines, with commas or spaces between them, as a "
                        "JSON array, or linked. If one of them is not a job id, nothing is sent.",
                    },
                ),
                "dry_run": ("BOOLEAN", {"default": False, "tooltip": "Says what would be sent, and sends nothing."}),
            },
            "optional": {"after": (ANY, AFTER_INPUT), "backup": BACKUP_INPUT},
        }

    @classmethod
    def VALIDATE_INPUTS(cls, job_ids: object = None) -> bool | str:
        # ComfyUI passes None for a linked input, whose value is not computed yet. Linked inputs and long texts are
        # checked when the node runs, before anything is sent.
        if job_ids is None or (isinstance(job_ids, (list, tuple)) and None in job_ids) or not is_short(job_ids):
            return True
        try:
            read_job_ids(job_ids)
        except InputRefused as error:
            return str(error)
        return True

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
