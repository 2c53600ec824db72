"""A backup that is being made: a draft under a name of its own, until it is whole and on the disk."""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

from ..cloud.protocol import LARGEST_JOB
from ..errors import NotBackedUp
from ..forks import Lock, restart_in_child
from ..jobs.details import read_workflow
from ..jobs.job import read_job
from ..jobs.redact import clean_detail, clean_json
from ..jobs.rows import job_row
from ..tasks.disk_steps import at_file
from .backup_reader import INDEX, LARGEST_INDEX, Row, member_of, summary_line
from .files import Claim, draft_name, sync_folder
from .locks import gate
from .private_files import open_private, sync_file

LONGEST_NAME = 300


class BackupDraft:
    """A backup that is being made. Jobs may be added from several threads. Blocking, as its folder is.

    It is to be closed or discarded. A disk that refuses discards it at once, for the room it takes: then no job in
    it counts as backed up, and all further calls say so.
    """

    def __init__(self, path: Path, gate_path: Path, header: Mapping[str, object]) -> None:
        self._path = path
        self._gate = gate_path
        self._header = header
        self._draft = draft_name(path)
        self._rows: dict[str, Row] = {}
        self._alone = Lock()
        self._open = True
        with ExitStack() as undo:
            self._file = io.BufferedWriter(cast(io.RawIOBase, open_private(self._draft, "xb")))
            undo.callback(self._draft.unlink, missing_ok=True)
            undo.callback(self._file.close)
            self._claim = Claim(self._draft)
            self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
            undo.pop_all()
        restart_in_child(self._let_go)

    def __len__(self) -> int:
        """How many jobs are in it."""
        return len(self._rows)

    def add(self, job_id: str, detail: Mapping[str, Any], key: str) -> None:
        """Add a job: its detail as `clean_detail` gives it. A job that is in it already stays as it is.

        Args:
            key: the key in use, which must not be in it.

        Raises:
            NotBackedUp: this one cannot be kept; the draft is as it was.
            OSError: the disk refused; the draft is gone.
        """
        row = _index_row(job_id, detail)
        content = clean_json(detail, key)
        if len(content) > LARGEST_JOB:
            raise NotBackedUp("it is too large")
        with self._writing():
            if row["id"] in self._rows:
                return
            self._write(member_of(job_id), content)
            self._rows[row["id"]] = row

    def close(self) -> Path:
        """Have it whole, on the disk and under its name. Returns its path.

        Raises:
            OSError: the disk refused. NotBackedUp: its index is too large. Either way the draft is gone.
        """
        with self._writing():
            self._write(INDEX, self._index())
            self._archive.comment = summary_line(str(self._header["created_at"]), len(self._rows))
            with at_file(self._path, self._file.tell()):
                self._archive.close()
                self._file.flush()
                sync_file(self._file)
                self._file.close()
            with at_file(self._path), gate(self._gate):
                self._claim.release()  # Windows renames no open file
                os.replace(self._draft, self._path)
            self._open = False
        with at_file(self._path.parent):
            sync_folder(self._path.parent)
        return self._path

    def discard(self) -> None:
        """Remove the draft. Does nothing where it has been closed or discarded."""
        with self._alone:
            self._drop()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._alone:
            if not self._open:
                raise OSError(errno.EBADF, "this backup is closed, or could not be written")
            try:
                yield
            except BaseException:
                self._drop()
                raise

    def _drop(self) -> None:
        if not self._open:
            return
        self._open = False
        self._archive.fp = None  # or it would still write its directory when it is forgotten
        with suppress(OSError):
            self._file.close()
        self._claim.release()
        with suppress(OSError), at_file(self._draft):
            self._draft.unlink(missing_ok=True)

    def _let_go(self) -> None:
        # It is the parent's. The file is shared: a child that ends would write into it what it has not written yet.
        self._open = False
        self._archive.fp = None
        self._file.raw.close()

    def _write(self, member: str, content: bytes) -> None:
        with at_file(self._path, len(content)):
            self._compress(member, content)

    def _compress(self, member: str, content: bytes) -> None:
        info = zipfile.ZipInfo(member)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        self._archive.writestr(info, content)

    def _index(self) -> bytes:
        header = clean_detail(self._header)  # whoever named a node may have pasted the key there
        content = json.dumps({**header, "jobs": list(self._rows.values())}).encode("ascii")
        if len(content) > LARGEST_INDEX:
            raise NotBackedUp("it has too many jobs")
        return content


def _index_row(job_id: str, cleaned: Mapping[str, Any]) -> Row:
    job = read_job(cleaned, datetime.now(timezone.utc))
    if job is None or job.id != job_id.lower():
        raise NotBackedUp("Comfy Cloud answered with something else")
    row = job_row(job)
    canvas, _ = read_workflow(cleaned.get("workflow"))
    kept = {name: row[name] for name in ("id", "status", "created", "finished", "workflow_id")}
    return {**kept, "name": row["name"][:LONGEST_NAME], "has_workflow": canvas is not None}
