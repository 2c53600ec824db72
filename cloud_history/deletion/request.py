"""The request for a deletion or a clear that nodes, routes and holds pass to the service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..jobs.ids import new_hex_id
from ..jobs.job import Job
from ..secret import scrub
from ..state.credentials import Connection
from ..state.in_flight import InFlightOperation, Kind
from ..state.settings import Backup
from .preview import DeletionPreview, Preview

MAX_UNSEEN_IDS_LOGGED = 200
"""Maximum number of ids logged before a deletion without a preview. Afterwards, all ids that were sent are logged."""


@dataclass(frozen=True)
class DeletionRequest:
    """A deletion of these jobs, or a clear of the whole history.

    Attributes:
        job_ids: the jobs to delete; None to clear the history.
        connection: the server, and the API key of the person who requested the deletion.
        origin: where the request comes from: `panel`, `menu`, `clean_up`, or `node` and the node's id.
        title: the node's name, for the audit log.
        backup: what is kept first; None to use the setting.
        preview: what the person confirmed; None if nobody was asked. Exactly the jobs of a preview are sent, and a
            clear is refused if more jobs have finished since.
        operation: the id of the deletion.
    """

    job_ids: Sequence[str] | None
    connection: Connection
    origin: str
    title: str = ""
    backup: Backup | None = None
    preview: Preview | None = None
    operation: str = field(default_factory=new_hex_id)

    @property
    def kind(self) -> Kind:
        return "clear" if self.job_ids is None else "delete"

    @property
    def deletion_preview(self) -> DeletionPreview | None:
        return self.preview if isinstance(self.preview, DeletionPreview) else None

    @property
    def logged_ids(self) -> Sequence[str]:
        """The ids for the audit log. Limited, because thousands of unchecked ids would push older deletions out."""
        job_ids = self.job_ids or ()
        return self.deletion_preview.there(job_ids) if self.deletion_preview else job_ids[:MAX_UNSEEN_IDS_LOGGED]

    @property
    def logged_jobs(self) -> dict[str, Job]:
        """What the preview knows of the jobs, by id, for the audit log. Empty without a preview."""
        if self.deletion_preview is None:
            return {}
        there = self.deletion_preview.observation.there
        return {job_id: there[job_id] for job_id in self.job_ids or () if job_id in there}

    def entry(self) -> InFlightOperation:
        """Return the operation for the in-flight file. The API key is scrubbed, even from the node's title."""
        previewed = self.preview.size if self.preview else None
        return InFlightOperation(
            kind=self.kind,
            origin=self.origin,
            host=self.connection.base_url.host,
            last4=self.connection.key.secret.last4,
            asked=previewed if self.job_ids is None else len(self.job_ids),
            job_ids=tuple(self.job_ids or ()),
            title=scrub(self.title),
            what=scrub(self.deletion_preview.what if self.deletion_preview else ""),
            operation=self.operation,
        )
