"""Reports of saves: as text for nodes and the log, and as JSON for browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..payloads import reason_payload
from ..reasons import Reason
from ..secret import scrub
from .result import JobSaved, SaveResult

NOTHING_TO_SAVE = "Nothing to save: the list of job ids is empty."
MAX_LISTED_IDS = 1000
"""Maximum number of ids in a node report."""
_UNITS = ("B", "KB", "MB", "GB", "TB")


def size_text(size: int) -> str:
    """Format a number of bytes: "512 B", "3.4 MB". A unit is 1,000 times the one before, as in the panel."""
    value, unit = float(size), 0
    while value >= 999.5 and unit + 1 < len(_UNITS):
        value, unit = value / 1000, unit + 1
    number = f"{value:.0f}" if not unit or value >= 9.95 else f"{value:.1f}".removesuffix(".0")
    return f"{number} {_UNITS[unit]}"


def save_report(result: SaveResult, most_listed: int = MAX_LISTED_IDS) -> str:
    """Format the result of a save: a sentence, then the jobs by what became of them, and hints."""
    lines = [_headline(result)]
    for words, chosen in _KINDS.items():
        ids = [job_id for job_id, each in result.jobs.items() if chosen(each)]
        lines += [f"{len(ids):,} {words}"] if ids else []
    for words, attempted in {"not saved": True, "not tried": False}.items():
        for why, ids in _by_reason(result, attempted=attempted):
            lines += [f"{len(ids):,} {words}: {why}", *(f"  {job_id}" for job_id in ids[:most_listed])]
            lines += [f"  and {len(ids) - most_listed:,} more"] if len(ids) > most_listed else []
    advice = [line for error in result.errors for line in (error.quote, error.hint) if line]
    return scrub("\n".join([*lines, *dict.fromkeys(advice)]))


_KINDS: dict[str, Callable[[JobSaved], bool]] = {
    "saved": lambda each: each.whole and bool(each.files) and not each.already_here,
    "already here": lambda each: each.already_here,
    "without outputs": lambda each: each.without_outputs,
}


def _headline(result: SaveResult) -> str:
    total, whole = len(result.jobs), len(result.whole_ids)
    files = list(result.files)
    size = size_text(sum(file.size for file in files))
    of = "1 job" if total == 1 else f"{total:,} jobs"
    here = f"{_count(len(files), 'file')}, {size}, in {result.place}" if files else "no files"
    stopped = "Stopped: " if result.stopped else ""
    if whole == total:
        return f"The outputs of {of} are saved: {here}."
    return f"{stopped}{'the' if stopped else 'The'} outputs of {whole:,} of {of} are saved: {here}."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _by_reason(result: SaveResult, *, attempted: bool) -> Iterator[tuple[str, list[str]]]:
    grouped: dict[str, list[str]] = {}
    for job_id, each in result.jobs.items():
        if not each.whole and each.attempted is attempted:
            grouped.setdefault(_reason_of(each), []).append(job_id)
    return iter(grouped.items())


def _reason_of(job: JobSaved) -> str:
    why = str(job.why)
    more = len(job.failed) - 1 if not job.problem else 0
    return f"{why}, and {_count(more, 'more file')}" if more > 0 else why


def stopped_report() -> str:
    """Format a save that the person stopped before it began."""
    return "Stopped: nothing was saved."


def failed_payload(result: SaveResult, most: int) -> list[dict[str, object]]:
    """Return at most `most` outputs that were not saved, as JSON: `job_id`, `filename` ("": all), `why`, `reason`."""
    found: list[dict[str, object]] = []
    for job_id, each in result.jobs.items():
        if each.problem:
            found.append(_failed(job_id, "", each.problem))
        else:
            found += (_failed(job_id, file.name, file.why) for file in each.failed)
        if len(found) >= most:
            break
    return found[:most]


def _failed(job_id: str, name: str, why: Reason) -> dict[str, object]:
    return {"job_id": job_id, "filename": scrub(name), "why": scrub(str(why)), "reason": reason_payload(why)}
