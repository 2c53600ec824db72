"""The node Prune Cloud History."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..cloud_history.deletion.outcomes import DeletionResult, Skipped
from ..cloud_history.deletion.report import SKIPPED, incomplete, result_report, with_warning
from ..cloud_history.errors import OperationStopped
from ..cloud_history.jobs.status import FINISHED, STATUSES_OF_CHOICE
from ..comfy_host import NodeWatch, asker, graph_deletions, operations
from .base import (
    AFTER_INPUT,
    AFTER_TOOLTIP,
    ANY,
    BACKUP_INPUT,
    REPORT_TOOLTIP,
    STATUS_WORDS,
    CloudHistoryNode,
    Inputs,
    Output,
    chosen_backup,
    only_boolean,
    only_choice,
    only_text,
    only_whole_number,
    outputs,
)

if TYPE_CHECKING:
    from ..cloud_history.retention.policy import Plan, Policy

NAME = "Prune Cloud History"
STATUSES = {
    word: all_of for word, all_of in STATUSES_OF_CHOICE.items() if all_of and {*all_of} <= {*FINISHED}
}


def _number(tooltip: str) -> tuple[object, dict[str, object]]:
    return "INT", {"default": 0, "min": 0, "max": 1_000_000, "tooltip": f"{tooltip} 0: no such rule."}


def _switch(default: bool, tooltip: str) -> tuple[object, dict[str, object]]:
    return "BOOLEAN", {"default": default, "tooltip": tooltip}


def _text(tooltip: str, **more: object) -> tuple[object, dict[str, object]]:
    return "STRING", {"default": "", "tooltip": tooltip, **more}


class PruneCloudHistory(CloudHistoryNode):
    """Deletes what a retention policy does not keep."""

    DESCRIPTION = (
        "Keeps the jobs of your Comfy Cloud history that its rules say, and removes the other finished ones. A job is "
        "kept if any rule keeps it. Active and protected jobs and all assets stay. It begins as a dry run."
    )
    SEARCH_ALIASES: ClassVar[list[str]] = [
        "cloud history",
        "clean up",
        "retention",
        "keep last",
        "old jobs",
        "comfy cloud",
    ]
    RETURN_TYPES = (ANY, "STRING", "STRING", "INT")
    RETURN_NAMES = ("after", "job_ids", "report", "deleted")
    OUTPUT_IS_LIST = (True, True, False, False)
    OUTPUT_TOOLTIPS = (
        AFTER_TOOLTIP,
        "The ids of the jobs that were removed; of a dry run, of those that would be.",
        REPORT_TOOLTIP,
        "How many jobs are gone, by looking before and after. 0 for a dry run.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        about = f"Which jobs the rules are about. {STATUS_WORDS}"
        each = "Keep the newest job of each of the last so many {} that have one (UTC)."
        return {
            "required": {
                "keep_last": _number("Keep the newest so many."),
                "keep_within": _text(
                    "Keep everything from so long until now. Blank: no such rule.",
                    placeholder="30d, 12h or 2w",
                ),
                "keep_daily": _number(each.format("days")),
                "keep_weekly": _number(each.format("weeks")),
                "status": (list(STATUSES), {"default": "finished", "tooltip": about}),
                "workflow_id": _text("Only jobs of this workflow. Blank: all."),
                "per_workflow": _switch(False, "Apply the rules that count to each workflow apart."),
                "allow_large": _switch(
                    False, "Allow rules that would delete more than 80% of the jobs, or all."
                ),
                "dry_run": _switch(True, "Says what would go, and sends nothing."),
            },
            "optional": {"after": (ANY, AFTER_INPUT), "backup": BACKUP_INPUT},
        }

    async def run(
        self,
        allow_large: object = None,
        dry_run: object = None,
        after: list[object] | None = None,
        backup: object = None,
        **rules: object,
    ) -> Output:
        policy = _policy(**rules)
        allowed = only_boolean(allow_large, "allow_large")
        backs_up = chosen_backup(backup)
        watch = NodeWatch()
        try:
            if only_boolean(dry_run, "dry_run"):
                return await _dry_run(policy, allowed, after, watch)
            return await _prune(policy, allowed, backs_up, after, watch)
        except OperationStopped:
            watch.raise_if_stopped()
            raise


def _policy(
    *,
    keep_last: object = None,
    keep_within: object = None,
    keep_daily: object = None,
    keep_weekly: object = None,
    status: object = None,
    workflow_id: object = None,
    per_workflow: object = None,
) -> Policy:
    # Not at ComfyUI's start, which must not wait for what only a run needs.
    from ..cloud_history.retention.durations import span
    from ..cloud_history.retention.policy import Policy, check_rules

    operations().keys.remember()  # an error quotes what it can't read, and somebody may have pasted the key there
    policy = Policy(
        keep_last=only_whole_number(keep_last, "keep_last"),
        keep_within=span(only_text(keep_within, "keep_within")),
        keep_daily=only_whole_number(keep_daily, "keep_daily"),
        keep_weekly=only_whole_number(keep_weekly, "keep_weekly"),
        statuses=only_choice(status, "status", STATUSES),
        workflow_id=only_text(workflow_id, "workflow_id").strip(),
        per_workflow=only_boolean(per_workflow, "per_workflow"),
    )
    check_rules(policy)
    return policy


async def _dry_run(policy: Policy, allowed: bool, after: list[object] | None, watch: NodeWatch) -> Output:
    plan = await graph_deletions().plan(policy, asker(NAME), watch)
    watch.raise_if_stopped()
    lines = ["Dry run: nothing was sent.", _plan_report(plan, policy)]
    if plan.takes_much and not allowed:
        lines.append("Without “allow_large” this is refused: it would delete more than 80%.")
    report = "\n".join(lines)
    return outputs(after, report, [job.id for job in plan.go], report, 0)


async def _prune(
    policy: Policy, allowed: bool, backs_up: bool | None, after: list[object] | None, watch: NodeWatch
) -> Output:
    cleaning = graph_deletions().clean_up(policy, asker(NAME), watch, allow_large=allowed, backup=backs_up)
    plan, result = await cleaning
    if result is None:
        watch.raise_if_stopped()
        report = f"Nothing would go, and nothing was sent.\n{_plan_report(plan, policy)}"
        return outputs(after, report, [], report, 0)
    if isinstance(result, Skipped):
        return outputs(after, SKIPPED, [], SKIPPED, 0)
    report = f"{result_report(result)}\n{_plan_report(plan, policy, going=False)}"
    await watch.end_stopped(report)
    if result.failed:
        raise incomplete(result)
    gone = result.gone if isinstance(result, DeletionResult) else []
    return outputs(after, report, gone, report, len(gone))


def _plan_report(plan: Plan, policy: Policy, *, going: bool = True) -> str:
    from ..cloud_history.retention.report import plan_report

    warning = operations().clock.warning if policy.keep_within else ""
    return with_warning(plan_report(plan, policy, going=going), warning)
