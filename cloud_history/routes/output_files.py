"""The output files that jobs are known to own, so that showing a file does not request its job each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import islice

from ..cloud.client import CloudClient
from ..cloud.downloads import find_file
from ..jobs.job import OutputFile
from ..jobs.rows import MAX_OUTPUTS
from ..state.credentials import Connection

MAX_PREVIEWS = 50_000
MAX_JOBS = 100
"""Limit for the jobs whose outputs are remembered, up to MAX_OUTPUTS each."""

FileNames = tuple[str, str, str]
"""The fields of an OutputFile as a plain tuple of strings, which the garbage collector does not track."""


class OutputFiles:
    """Remembers the files in lists and in details of jobs. Forgets them when the server or the key changes."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._previews: OrderedDict[str, FileNames] = OrderedDict()
        self._outputs: OrderedDict[str, tuple[FileNames, ...]] = OrderedDict()

    def learn_previews(self, connection: Connection, previews: Mapping[str, FileNames]) -> None:
        """Remember the preview files of listed jobs, by job id."""
        self._belong_to(connection)
        self._previews.update(previews)
        while len(self._previews) > MAX_PREVIEWS:
            self._previews.popitem(last=False)

    def learn_outputs(self, connection: Connection, job_id: str, files: Iterable[OutputFile]) -> None:
        """Remember all outputs of a job, in the order of its details."""
        self._belong_to(connection)
        self._outputs.pop(job_id, None)
        self._outputs[job_id] = tuple((file.filename, file.subfolder, file.kind) for file in islice(files, MAX_OUTPUTS))
        while len(self._outputs) > MAX_JOBS:
            self._outputs.popitem(last=False)

    async def find(
        self, client: CloudClient, connection: Connection, job_id: str, filename: str, number: int | None = None
    ) -> OutputFile:
        """Return an output file of a job. Requests the job only if the file is not known.

        Args:
            number: as in `find_file`.

        Raises:
            NotFound: the job has no such file, or does not exist.
        """
        known = self._known(job_id, number) if connection == self._connection else ()
        found = next((file for file in known if file[0] == filename), None)
        return OutputFile(*found) if found else await find_file(client, job_id, filename, number)

    def _known(self, job_id: str, number: int | None) -> tuple[FileNames, ...]:
        outputs = self._outputs.get(job_id, ())
        if number is not None:
            return outputs[number : number + 1]
        preview = self._previews.get(job_id)
        return (preview, *outputs) if preview else outputs

    def _belong_to(self, connection: Connection) -> None:
        if connection != self._connection:
            self._previews.clear()
            self._outputs.clear()
            self._connection = connection
