"""The reasons why a job was not deleted or a clear is unconfirmed: codes and their texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .sentences import SENTENCES

REASONS: dict[str, str] = {
    # Why a job was not deleted, or its deletion is unconfirmed.
    "stopped_by_person": "the deletion was stopped",
    "cancelled_meanwhile": "it was cancelled",
    "time_is_up": "it took too long",
    "earlier_request_failed": "an earlier request failed",
    "not_read_back": "accepted, but not read back",
    "list_unread": "accepted, but the list can’t be read",
    "still_listed": "accepted, but still listed",
    "still_found": "accepted, but still found by its id",
    "not_seen_before": "gone now, but it was not seen before",
    "status_unknown": "its status is unknown",
    "workflow_unknown": "whether its workflow is protected can’t be known",
    "backup_failed": "its workflow couldn’t be backed up: {reason}",
    "not_found_to_back_up": "it was not found",
    "outputs_not_saved": "its outputs could not be saved: {reason}",
    # Why a file can’t be written, if the system does not say.
    "disk_failed": "the disk failed",
    # Why the sizes and hashes of outputs are unknown.
    "assets_repeat": "the list of assets repeats a page",
    "too_many_assets": "there are too many assets to look through",
    # Why an output was not saved.
    "file_failed": "{file}: {reason}",
    "output_name_unusable": "an output has no usable name",
    "outputs_not_listed": "Comfy Cloud counts outputs of it, but lists none",
    "job_not_found_to_save": "the job is not in the history",
    "job_not_finished": "the job has not finished",
    "other_job_answered": "Comfy Cloud answered with another job",
    "too_many_outputs": "it has more than {most:,} outputs",
    "save_stopped": "saving was stopped",
    "save_not_recorded": "what was saved could not be recorded",
    "saved_file_changed": "{file} is missing or was changed since it was saved",
    # Why a list or a lookup does not prove that jobs are gone.
    "not_asked_by_id": "no job could be asked for by its id",
    "finished_still_listed": "a finished job is still listed",
    "none_seen_gone": "none of the jobs that were looked at is gone",
    "list_not_trusted": "the list can’t be trusted ({defect})",
    "no_pagination": "it does not say whether more jobs follow",
    "no_has_more": "only its total says whether more jobs follow",
    "no_rows": "it has no rows",
    "lower_limit": "its pages are smaller than asked, and it does not say whether more follow",
    "jobs_of_unknown_status": "{jobs} a status that is not known",
    "unreadable_rows": "{rows} could not be read",
    "totals_contradict": "its totals contradict its rows",
    "does_not_add_up": "its pages do not add up",
    "repeats": "it repeats a page",
    "filter_ignored": "it has jobs of other statuses than asked",
    "no_answer_by_id": "no job that is listed is found by its id",
    "still_answered": "a job that is not listed is still found by its id",
    "ends_too_soon": "more jobs follow where it says that it ends",
    "others_missing": "the jobs that were to stay are missing too",
}


@dataclass(frozen=True)
class Reason:
    """The reason for the outcome of a job or of a clear. `str()` returns its text.

    Attributes:
        code: a key of REASONS or SENTENCES; "" for no reason.
        values: values for the placeholders in the text, by name.
    """

    code: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.code)

    def __str__(self) -> str:
        return self._words

    @cached_property
    def _words(self) -> str:
        if not self.code:
            return ""
        words = REASONS.get(self.code) or SENTENCES[self.code].short
        if not words:
            words = SENTENCES[self.code].message.rstrip(".") + (" ({status})" if "status" in self.values else "")
        return words.format(**self.values)


NO_REASON = Reason()
