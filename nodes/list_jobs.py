"""The node List Cloud Jobs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from ..cloud_history.deletion.report import listing_report, with_warning
from ..cloud_history.errors import OperationStopped
from ..cloud_history.jobs.status import STATUSES_OF_CHOICE
from ..comfy_host import NodeWatch, operations, prompt_key
from .base import (
    AFTER_INPUT,
    AFTER_TOOLTIP,
    ANY,
    REPORT_TOOLTIP,
    STATUS_WORDS,
    CloudHistoryNode,
    Inputs,
    Output,
    only_choice,
    only_text,
    only_whole_number,
    outputs,
)

if TYPE_CHECKING:
    from ..cloud_history.jobs.filters import JobFilter
    from ..cloud_history.jobs.job import Job


class ListCloudJobs(CloudHistoryNode):
    """Lists jobs of the Comfy Cloud history. Does not change them."""

    DESCRIPTION = (
        "Lists jobs of your Comfy Cloud history, newest first. Its job_ids wire straight into Delete Cloud Jobs. "
        "It changes nothing."
    )
    SEARCH_ALIASES: ClassVar[list[str]] = ["cloud history", "list jobs", "find jobs", "comfy cloud", "failed jobs"]
    RETURN_TYPES = (ANY, "STRING", "STRING", "INT")
    RETURN_NAMES = ("after", "job_ids", "report", "count")
    OUTPUT_IS_LIST = (True, True, False, False)
    OUTPUT_TOOLTIPS = (AFTER_TOOLTIP, "The ids found, newest first.", REPORT_TOOLTIP, "How many were found.")

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        return {
            "required": {
                "status": (list(STATUSES_OF_CHOICE), {"default": "finished", "tooltip": STATUS_WORDS}),
                "older_than": (
                    "STRING",
                    {
                        "default": "",
                        "placeholder": "30d, 12h, 2w or 2026-01-31",
                        "tooltip": "Only jobs older than this, or from before this date (UTC). Blank: no limit.",
                    },
                ),
                "workflow_id": ("STRING", {"default": "", "tooltip": "Only jobs of this workflow. Blank: all."}),
                "limit": (
                    "INT",
                    {"default": 0, "min": 0, "max": 1_000_000, "tooltip": "At most so many, the newest. 0: all."},
                ),
            },
            "optional": {"after": (ANY, AFTER_INPUT)},
        }

    async def run(
        self,
        status: object = None,
        older_than: object = None,
        workflow_id: object = None,
        limit: object = None,
        after: list[object] | None = None,
    ) -> Output:
        from ..cloud_history.retention.durations import is_duration

        operations().keys.remember()  # errors quote invalid inputs, which may contain a pasted key
        clock = operations().clock
        chosen = _filter(status, older_than, workflow_id, clock.now())
        most = only_whole_number(limit, "limit")
        watch = NodeWatch()
        connection = await operations().find_connection(prompt_key())
        try:
            listing = await operations().list_jobs(connection, chosen, watch)
        except OperationStopped:
            watch.raise_if_stopped()
            raise
        watch.raise_if_stopped()
        warning = ""
        if is_duration(only_text(older_than, "older_than")):
            clock.check()  # uses the server's time from the answers to `list_jobs`
            warning = clock.warning
            chosen = _filter(status, older_than, workflow_id, clock.earliest_now())
        jobs = [job for job in listing.jobs.values() if chosen.matches(job)]
        found = sorted(jobs, key=_newest_first)[: most or None]
        report = with_warning(listing_report(found, len(jobs), listing.unreadable), warning)
        return outputs(after, report, [job.id for job in found], report, len(found))


def _filter(status: object, older_than: object, workflow_id: object, now: datetime) -> JobFilter:
    # Imported here, because ComfyUI's start must not wait for modules that only the nodes need.
    from ..cloud_history.jobs.filters import JobFilter
    from ..cloud_history.retention.durations import cutoff

    return JobFilter(
        statuses=only_choice(status, "status", STATUSES_OF_CHOICE),
        before=cutoff(only_text(older_than, "older_than"), now),
        workflow_id=only_text(workflow_id, "workflow_id").strip(),
    )


def _newest_first(job: Job) -> float:
    # Jobs without a usable time come last.
    return -job.created_at.timestamp() if job.created_at else 0.0
