"""Compare the reports of a deletion with the simulated cloud's jobs, and describe every contradiction."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from simulated_cloud import ACTIVE, FINISHED, SimulatedJob
from support.liar.scene import Scene, Told
from support.liar.transcript import Transcript, looks_whole

MAX_REQUESTS = 6000
MAX_SECONDS = 120.0
_WORDS = {
    "removed": "deleted",
    "already gone": "already_gone",
    "active, left alone": "active",
    "protected, kept": "protected",
    "not removed": "failed",
    "unconfirmed": "unconfirmed",
    "not tried": "not_attempted",
}
_EVENTS = ("jobs_arrive", "jobs_finish", "jobs_vanish", "jobs_change_places")


class Oracle:
    """Compares the reports of a scene with the jobs of its cloud.

    Args:
        backed_up: the ids in the backups that were made.
    """

    def __init__(self, scene: Scene, told: Told, backed_up: set[str]) -> None:
        self.scene, self.told = scene, told
        self.transcript = Transcript(scene.cloud)
        self._backed_up = backed_up
        self._vanished = scene.vanished

    def contradictions(self) -> list[str]:
        """Return a description of each wrong report and each wrong action."""
        claims = (
            self._requests,
            self._safeguards,
            self._confirmed,
            self._said_of_jobs,
            self._numbers,
            self._said_of_clear,
            self._said_of_list,
            self._said_in_preview,
            self._ending,
        )
        found = [each for claim in claims for each in claim()]
        return found + [f"in the log: {each}" for each in self.scene.problems]

    # Actions

    def _requests(self) -> Iterator[str]:
        cloud = self.scene.cloud
        if cloud.forbidden_calls:
            yield "a forbidden call was made"
        for body in cloud.history_posts:
            if body != {"clear": True} and not (set(body) == {"delete"} and body["delete"]):
                yield f"a request has another intent: {body}"
        if len(cloud.requests) > MAX_REQUESTS:
            yield f"{len(cloud.requests)} requests were made"

    def _safeguards(self) -> Iterator[str]:
        sent, scene = set(self.transcript.sent), self.scene
        for job_id in sorted(scene.protected & sent):
            yield f"{job_id} is protected and was sent"
        if scene.case.backup:
            for job_id in sorted(sent - self._backed_up):
                yield f"{job_id} was sent without its backup"
        if self.transcript.clears and (scene.case.backup or scene.protected):
            yield "there are backups or protected jobs, and everything was cleared"

    def _confirmed(self) -> Iterator[str]:
        told = self.told
        if told.confirmed is not None:
            for job_id in sorted(set(self.transcript.sent) - told.confirmed):
                yield f"{job_id} was sent and not confirmed"
        most = max(self.scene.finished_at_clear, default=0)
        if told.shown is not None and most > told.shown and not self._counted_wrongly():
            yield f"a clear of {most} was sent, and {told.shown} were confirmed"

    # Outcomes of jobs

    def _said_of_jobs(self) -> Iterator[str]:
        judges: dict[str, Callable[[str, SimulatedJob | None], str]] = {
            "deleted": self._deleted,
            "already_gone": self._already_gone,
            "active": self._active,
            "protected": self._protected,
            "failed": self._failed,
            "unconfirmed": lambda job_id, job: "",
            "not_attempted": self._not_attempted,
        }
        for job_id, word in self.told.outcomes.items():
            wrong = judges[word](job_id.lower(), self.scene.job(job_id.lower()))
            if wrong:
                yield f"{job_id} is called {word}, and {wrong}"

    def _deleted(self, job_id: str, job: SimulatedJob | None) -> str:
        if job_id not in self.transcript.sent:
            return "it was never sent"
        if job is None:
            # The list had the job, so the client could not know that it was gone.
            return "" if self.transcript.listed(job_id) else "it was never there"
        if not job.deleted and not self.transcript.looks_gone(job_id, since=self.transcript.sent[job_id][-1]):
            return "it is there"
        return ""

    def _already_gone(self, job_id: str, job: SimulatedJob | None) -> str:
        sent, transcript = self.transcript.sent.get(job_id, []), self.transcript
        if job is None or transcript.looks_gone(job_id, until=min(transcript.posts, default=None)):
            return ""
        if not job.deleted:
            return "" if sent and transcript.looks_gone(job_id, since=sent[-1]) else "it is there"
        refused = all((status or 0) >= 400 for status in transcript.statuses.get(job_id, ()))
        if sent and self.scene.there_when_sent[job_id] and job_id not in self._vanished and not refused:
            return "we have removed it"
        return ""

    def _active(self, job_id: str, job: SimulatedJob | None) -> str:
        if job is None:
            return "it was never there"
        if job.deleted and job_id not in self._vanished:
            return "it was removed"
        was_active = self.scene.before.get(job_id) in ACTIVE or not job.finished
        return "" if was_active or self._called_active(job_id) else "it was never active, and nobody said so"

    def _called_active(self, job_id: str) -> bool:
        answers = self.transcript.lists + self.transcript.details
        rows = [row for each in answers for row in (each.rows or [each.content]) if isinstance(row, dict)]
        words = [row.get("status") for row in rows if str(row.get("id")).lower() == job_id]
        return any(word in ACTIVE for word in words)

    def _protected(self, job_id: str, job: SimulatedJob | None) -> str:
        # Somebody else may have removed the job. This outcome says that it was not sent, and why.
        if job_id not in self.scene.protected:
            return "it is not protected"
        return "it was sent" if job_id in self.transcript.sent else ""

    def _failed(self, job_id: str, job: SimulatedJob | None) -> str:
        statuses = self.transcript.statuses.get(job_id, [])
        if statuses and statuses[-1] is not None and statuses[-1] < 400:
            return "its request was accepted"
        was_there = job is not None and job_id in self.scene.before
        if job is not None and was_there and job.deleted and not statuses and job_id not in self._vanished:
            return "it is gone"
        return ""

    def _not_attempted(self, job_id: str, job: SimulatedJob | None) -> str:
        return "it was sent" if job_id in self.transcript.sent else ""

    # Numbers

    def _numbers(self) -> Iterator[str]:
        if not self.told.outcomes:
            return
        counts = Counter(self.told.outcomes.values())
        if self.told.removed is not None and self.told.removed != counts["deleted"]:
            yield f"{self.told.removed} are told as removed, and {counts['deleted']} are called deleted"
        first, *lines = self.told.report.splitlines()
        told: Counter[str] = Counter()
        for line in lines:
            if found := re.match(r"([0-9,]+) ([a-z][a-z, ]*[a-z])(?::|$)", line):
                told[_WORDS.get(found[2], "")] += int(found[1].replace(",", ""))
        if found := re.match(r"([0-9,]+) (?:jobs? removed|of [0-9,]+ jobs? removed)", first):
            told["deleted"] = int(found[1].replace(",", ""))
        del told[""]
        if +told != +counts:
            yield f"the report counts {dict(told)}, the audit log {dict(counts)}"

    # A clear without job ids

    def _said_of_clear(self) -> Iterator[str]:
        clear = self.told.clear
        if clear is None:
            return
        left = [job.id.lower() for job in self.scene.cloud.finished]
        if clear["word"] == "nothing" and len(left) > self._events() and not self._counted_wrongly():
            yield f"there is nothing to clear, and there are {len(left)} finished jobs"
        if clear["word"] == "deleted" and len(left) > self._events():
            yield from self._left_over(left)
        statuses = [request.status or 0 for request in self.scene.cloud.requests_to("POST", "/api/history")]
        if clear["word"] == "failed" and statuses and statuses[-1] < 400:
            yield "the clear is called refused, and it was accepted"
        if clear["removed"] is not None:
            yield from self._removed_by_clear(clear)

    def _left_over(self, left: list[str]) -> Iterator[str]:
        since = self.transcript.clears[-1] if self.transcript.clears else -1
        for job_id in left:
            # The client relies on the cloud's statuses: a finished job with another status is not counted as finished.
            if self._called_otherwise(job_id, since) or self.transcript.looks_gone(job_id, since=since):
                continue
            yield f"all is told as removed, and {job_id} is there"

    def _removed_by_clear(self, clear: dict[str, Any]) -> Iterator[str]:
        gone = [job.id.lower() for job in self.scene.cloud.deleted]
        before = len(gone) - self.scene.case.gone
        # Removed active jobs are reported separately: "3 jobs active when it began."
        stayed = clear["active"] or 0
        slack = self._events() + (clear["began"] or stayed) - stayed
        # "still listed" repeats the list. The other jobs are reported as removed, never more than were removed.
        least = 0 if clear["word"] == "partial" else before - slack
        if not least <= clear["removed"] <= before + slack and not self._counted_wrongly():
            yield f"{clear['removed']} are told as removed, and {before} were"

    def _called_otherwise(self, job_id: str, since: int) -> bool:
        """Return whether the last list gave this finished job another status."""
        pages = self.transcript.last_reading(since)
        words = [
            row.get("status")
            for page in pages
            for row in page.rows
            if isinstance(row, dict) and str(row.get("id")).lower() == job_id
        ]
        return bool(words) and not any(word in FINISHED for word in words)

    def _events(self) -> int:
        """Return the number of jobs that other clients added, finished or removed. Counts may differ by this number."""
        by_bends = sum(bend.fired * bend.amount for bend in self.scene.cloud.bends if bend.name in _EVENTS)
        return by_bends + len(self.scene.case.meanwhile)

    def _counted_wrongly(self) -> bool:
        """Return whether all lists were wrong but consistent, so that no client could have counted correctly.

        Each page is complete, and the pages that were read beyond the end are empty.
        """
        pages = self.transcript.lists
        looked = any(page.query.get("offset", "0") != "0" and not page.rows for page in pages)
        empty = not any(page.rows for page in pages)
        return all(page.agrees() for page in pages) and (looked or empty)

    # A list

    def _said_of_list(self) -> Iterator[str]:
        told = self.told
        if told.listed is None:
            return
        listed = {job_id.lower() for job_id in told.listed}
        if len(listed) != len(told.listed):
            yield "a job is listed twice"
        if not told.complete or self._events():
            return
        pages = self.transcript.last_reading()
        # A new job that the cloud lists as active is not counted as finished.
        came = {job_id for page in pages for job_id in page.ids}
        missing = {job.id.lower() for job in self.scene.cloud.finished} - listed - came
        unreadable = sum(len(page.rows) - len(page.ids) for page in pages)
        if told.unreadable < unreadable:
            yield f"{unreadable} rows could not be read, and {told.unreadable} are told"
        if len(missing) > told.unreadable and not looks_whole(pages):
            yield f"the list is told as complete, and lacks {len(missing)} jobs ({told.unreadable} told as unreadable)"

    # A preview

    def _said_in_preview(self) -> Iterator[str]:
        if not self.told.gone:
            return
        there = {job.id.lower() for job in self.scene.cloud.listed()}
        really = [job_id for job_id in self.scene.ids if job_id.lower() not in there]
        fooled = [
            job_id
            for job_id in self.scene.ids
            if job_id.lower() in there and self.transcript.looks_gone(job_id.lower())
        ]
        if self.told.gone > len(really) + len(fooled):
            yield f"the preview calls {self.told.gone} gone, and {len(really)} are"

    # Errors

    def _ending(self) -> Iterator[str]:
        scene, told = self.scene, self.told
        if told.error and told.error != "Incomplete" and scene.cloud.history_posts:
            yield f"it ended in {told.error} ({told.report[:200]}) after {len(scene.cloud.history_posts)} requests"
        if told.error in ("cloud_error", "CloudError"):
            yield f"it ended in an unexpected error: {told.report[:300]}"
        words = set(told.outcomes.values())
        if scene.case.operation.startswith("node") and (told.outcomes or told.clear):
            bad = bool(words & {"failed", "not_attempted"})
            bad |= told.clear is not None and told.clear["word"] in ("failed", "unknown")
            if bad and not told.raised:
                yield "jobs failed, and the node did not end in an error"
            if told.raised and not bad and "unconfirmed" not in words:
                yield "nothing failed, and the node ended in an error"
        if scene.slept > MAX_SECONDS:
            yield f"it waited for {scene.slept:.0f} seconds"
