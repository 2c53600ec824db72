"""Making the backup of one deletion: every job's detail is read and kept before the first job goes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..errors import (
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    NotFound,
    OperationStopped,
    StateSilent,
    StateUnwritable,
)
from ..jobs.models import JobOutcome, Outcome
from ..secret import Secret, log, scrub
from ..state.backup_file import BackupDraft
from ..state.backups import BackupFolder
from ..tasks.stopping import Watch, run_stoppable, together
from ..tasks.threads import large_in_thread, write_in_thread
from .safeguards import BackedUp

MOST_AT_ONCE = 6
SECONDS = 120.0
SECONDS_A_JOB = 3.0


class DetailReader(Protocol):
    """What backing up needs of a client."""

    async def get_job_detail(self, job_id: str) -> dict[str, Any]: ...


class BackingUp:
    """
    Args:
        about: what the backup says of its operation.
        key: the key in use, which must not be in it.
    """

    def __init__(
        self,
        client: DetailReader,
        folder: BackupFolder,
        operation: str,
        about: Mapping[str, object],
        key: Secret,
    ) -> None:
        self._client = client
        self._folder = folder
        self._operation = operation
        self._about = about
        self._key = key
        self._without: dict[str, JobOutcome] = {}
        self._saved = 0

    async def __call__(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        """Keep these jobs. Those that could not be kept are in the answer, with why.

        Raises:
            OperationStopped: the person stopped it. CloudTimeoutError: it took far too long. No backup is left.
        """
        watch.progress("backing_up", 0, len(job_ids))
        try:
            draft = await write_in_thread(
                lambda: self._folder.begin(self._operation, self._about),
                BackupDraft.discard,
            )
        except OSError as exc:
            return self._none(job_ids, exc)
        try:
            seconds = SECONDS + SECONDS_A_JOB * len(job_ids)
            await run_stoppable(self._read_all(draft, job_ids, watch), watch, seconds)
            if len(draft):
                await large_in_thread(draft.close)
            self._saved = len(draft)
        except OSError as exc:
            return self._none(job_ids, exc)
        except OperationStopped:
            raise
        except CloudConnectionError as error:
            raise CloudTimeoutError("Backing up took too long, so nothing was sent.", sent=False) from error
        except CloudError as error:
            return BackedUp(0, dict.fromkeys(job_ids, _failed(error.short)))
        finally:
            await write_in_thread(draft.discard)
        return BackedUp(self._saved, self._without)

    def check(self) -> None:
        """Raises StateUnwritable: the backup was made, and is gone. Blocking."""
        if self._saved and not self._folder.has(self._operation):
            raise StateUnwritable(
                f"Deletions are stopped: the backup of this deletion, {self._operation}.zip, is gone.",
                hint="Look into the state folder, then delete again.",
            )

    async def _read_all(self, draft: BackupDraft, job_ids: Sequence[str], watch: Watch) -> None:
        waiting = deque(job_ids)

        async def worker() -> None:
            while waiting:
                await self._read_one(draft, waiting.popleft(), waiting)
                watch.progress("backing_up", len(draft), len(job_ids))

        await together(worker() for _ in range(min(MOST_AT_ONCE, len(job_ids))))

    async def _read_one(self, draft: BackupDraft, job_id: str, waiting: deque[str]) -> None:
        try:
            detail = await self._client.get_job_detail(job_id)
            await large_in_thread(draft.add, job_id, detail, self._key.reveal())
        except NotFound:
            self._without[job_id] = JobOutcome(Outcome.ALREADY_GONE)
        except StateSilent:
            raise  # the other jobs would wait for the same disk
        except CloudError as error:
            self._without[job_id] = _failed(error.short)
            if error.meets_all:
                self._without.update(dict.fromkeys(waiting, _failed(error.short)))
                waiting.clear()

    def _none(self, job_ids: Sequence[str], exc: OSError) -> BackedUp:
        log.warning("No backup could be made: %s", scrub(str(exc.strerror or exc)))
        return BackedUp(0, dict.fromkeys(job_ids, _failed(exc.strerror or "the disk refused")))


def _failed(why: str) -> JobOutcome:
    return JobOutcome(Outcome.FAILED, f"its workflow couldn’t be backed up: {why}")
