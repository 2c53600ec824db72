"""The node Clean Up Cloud History."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..cloud_history.deletion.outcomes import DeletionResult, Outcome, Skipped
from ..cloud_history.deletion.report import SKIPPED, incomplete, result_report, stopped_report, with_warning
from ..cloud_history.errors import OperationStopped
from ..cloud_history.jobs.status import FINISHED, STATUSES_OF_CHOICE
from ..comfy_host import NodeWatch, graph_deletions, operations, requesting_node
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
    only_value,
    outputs,
)

if TYPE_CHECKING:
    from ..cloud_history.retention.policy import CleanUpPreview, Policy
    from ..cloud_history.state.settings import Backup

NAME = "Clean Up Cloud History"
STATUSES = {word: all_of for word, all_of in STATUSES_OF_CHOICE.items() if all_of and {*all_of} <= {*FINISHED}}


def _rules(*, appended: bool) -> dict[str, tuple[object, dict[str, object]]]:
    # Imported here, because ComfyUI's start must not wait for modules that only the nodes need.
    from ..cloud_history.retention.policy import MAX_KEPT, RULES

    return {
        rule.name: _text(f"{rule.tooltip} Blank: no such rule.", default=rule.on_new_node, placeholder="30d, 12h or 2w")
        if rule.is_length
        else (
            "INT",
            {"default": rule.on_new_node, "min": 0, "max": MAX_KEPT, "tooltip": f"{rule.tooltip} 0: no such rule."},
        )
        for rule in RULES
        if rule.appended is appended
    }


def _switch(default: bool, tooltip: str) -> tuple[object, dict[str, object]]:
    return "BOOLEAN", {"default": default, "tooltip": tooltip}


def _text(tooltip: str, **more: object) -> tuple[object, dict[str, object]]:
    return "STRING", {"default": "", "tooltip": tooltip, **more}


class CleanUpCloudHistory(CloudHistoryNode):
    """Deletes the finished jobs that a retention policy does not keep."""

    DESCRIPTION = (
        "Keeps the jobs of your Comfy Cloud history that its rules say, and removes the other finished ones. A job is "
        "kept if any rule keeps it. Active and protected jobs and all assets stay. It begins as a dry run."
    )
    SEARCH_ALIASES: ClassVar[list[str]] = [
        "cloud history",
        "clean up",
        "prune",
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
        return {
            "required": {
                **_rules(appended=False),
                "status": (list(STATUSES), {"default": "finished", "tooltip": about}),
                "workflow_id": _text("Only jobs of this workflow. Blank: all."),
                "per_workflow": _switch(False, "Apply the rules that count to each workflow apart."),
                "allow_large": _switch(False, "Allow rules that would delete more than 80% of the jobs, or all."),
                "dry_run": _switch(True, "Says what would go, and sends nothing."),
            },
            "optional": {"after": (ANY, AFTER_INPUT), "backup": BACKUP_INPUT, **_rules(appended=True)},
        }

    async def run(
        self,
        status: object = None,
        allow_large: object = None,
        dry_run: object = None,
        after: list[object] | None = None,
        backup: object = None,
        **rules: object,
    ) -> Output:
        policy = _policy(status, rules)
        allowed = only_boolean(allow_large, "allow_large")
        kept_first = chosen_backup(backup)
        watch = NodeWatch()
        try:
            if only_boolean(dry_run, "dry_run"):
                return await _dry_run(policy, allowed, after, watch)
            return await _clean_up(policy, allowed, kept_first, after, watch)
        except OperationStopped:
            await watch.end_stopped(stopped_report())
            raise


def _policy(status: object, rules: dict[str, object]) -> Policy:
    # Imported here, because ComfyUI's start must not wait for modules that only the nodes need.
    from ..cloud_history.retention.policy import RULES, check_rules, read_policy

    operations().keys.remember()  # errors quote invalid inputs, which may contain a pasted key
    # A workflow that was saved by an older version has no input for a newer rule.
    names = [rule.name for rule in RULES if not rule.appended or rule.name in rules]
    given = {name: only_value(rules.get(name), name) for name in (*names, "workflow_id", "per_workflow")}
    statuses = only_choice(status, "status", STATUSES)
    policy = read_policy({**given, "statuses": [each.value for each in statuses]})
    check_rules(policy)
    return policy


async def _dry_run(policy: Policy, allowed: bool, after: list[object] | None, watch: NodeWatch) -> Output:
    preview = await graph_deletions().preview_clean_up(policy, requesting_node(NAME), watch)
    watch.raise_if_stopped()
    lines = ["Dry run: nothing was sent.", _report(preview, policy)]
    if preview.takes_much and not allowed:
        lines.append("Without “allow_large” this is refused: it would delete more than 80%.")
    report = "\n".join(lines)
    return outputs(after, report, [job.id for job in preview.go], report, 0)


async def _clean_up(
    policy: Policy, allowed: bool, kept_first: Backup | None, after: list[object] | None, watch: NodeWatch
) -> Output:
    cleaning = graph_deletions().clean_up(policy, requesting_node(NAME), watch, allow_large=allowed, backup=kept_first)
    preview, result = await cleaning
    if result is None:
        watch.raise_if_stopped()
        report = f"Nothing would go, and nothing was sent.\n{_report(preview, policy)}"
        return outputs(after, report, [], report, 0)
    if isinstance(result, Skipped):
        return outputs(after, SKIPPED, [], SKIPPED, 0)
    report = f"{result_report(result)}\n{_report(preview, policy, going=False)}"
    await watch.end_stopped(report)
    if result.failed:
        raise incomplete(result)
    gone = result.ids(Outcome.DELETED) if isinstance(result, DeletionResult) else []
    return outputs(after, report, gone, report, len(gone))


def _report(preview: CleanUpPreview, policy: Policy, *, going: bool = True) -> str:
    from ..cloud_history.retention.report import cleanup_report

    warning = operations().clock.warning if policy.keep_within else ""
    return with_warning(cleanup_report(preview, policy, going=going), warning)
