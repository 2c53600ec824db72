"""Deletions that come from a workflow. It may be anybody's, so the person who queued it is asked first."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from ..deletion.outcomes import ClearOutcome, ClearResult, DeletionResult, Skipped
from ..deletion.preview import (
    ClearPreview,
    DeletionPreview,
    DeletionRequest,
    Preview,
    clear_summary,
    deletion_summary,
)
from ..deletion.report import Payload
from ..errors import CloudError, CountRose, NodesNever, OperationStopped
from ..jobs.filters import Selection
from ..jobs.rows import milliseconds
from ..retention.cleanup import plan_of, resolve
from ..retention.policy import Plan, Policy
from ..service import Operations
from ..state.credentials import Connection
from ..state.in_flight import new_operation
from ..tasks.stopping import Watch
from ..tasks.threads import run_in_thread
from .approval import Asker, Questions

MAX_QUESTIONS = 3
"""How often one node asks about a history that keeps growing."""


class GraphDeletions:
    """What the nodes do. Each deletes straight away, asks, or refuses, as a person has set it."""

    def __init__(self, operations: Operations, questions: Questions) -> None:
        self._operations = operations
        self._questions = questions

    async def delete(
        self, job_ids: Sequence[str], asker: Asker, watch: Watch, *, backup: bool | None = None
    ) -> DeletionResult | Skipped:
        """Delete these jobs, or those of them that the person was shown and confirmed.

        Args:
            backup: whether workflows are backed up first; None: as it is set.

        Raises:
            NodesNever, NobodyThere, TooManyQuestions, NoAnswer, SetupProblem, CloudError: nothing was sent.
            OperationStopped: stopped before anything was sent.
        """
        operations = self._operations
        if not await self._asks():
            return await operations.delete_jobs(
                job_ids, asker.origin, watch, backup=backup, title=asker.title, prompt_key=asker.key
            )
        with self._questions.place(asker):
            connection = await operations.find_connection(asker.key)
            preview = await operations.preview(connection, Selection(job_ids=job_ids), watch)
            return await self._delete_shown(job_ids, preview, connection, asker, watch, backup)

    async def prune(
        self,
        policy: Policy,
        asker: Asker,
        watch: Watch,
        *,
        allow_large: bool,
        backup: bool | None = None,
    ) -> tuple[Plan, DeletionResult | Skipped | None]:
        """Delete what the policy does not keep. The plan, and what became of it: None where nothing would go.

        Raises:
            PolicyRefused, NodesNever, NobodyThere, TooManyQuestions, NoAnswer, SetupProblem, CloudError: nothing
                was sent.
            OperationStopped: stopped before anything was sent.
        """
        asks = await self._asks()
        with self._questions.place(asker) if asks else nullcontext():
            connection = await self._operations.find_connection(asker.key)
            plan, preview = await resolve(
                self._operations, connection, policy, watch, allow_large=allow_large
            )
            if not preview.size:
                return plan, None
            ids = preview.job_ids
            return plan, await self._delete_shown(ids, preview, connection, asker, watch, backup, asks=asks)

    async def plan(self, policy: Policy, asker: Asker, watch: Watch) -> Plan:
        """What the policy would do, with its guards told and not enforced. Raises PolicyRefused, CloudError."""
        connection = await self._operations.find_connection(asker.key)
        return await plan_of(self._operations, connection, policy, watch)

    async def clear(
        self, asker: Asker, watch: Watch, *, backup: bool | None = None
    ) -> ClearResult | DeletionResult | Skipped:
        """Clear the history, or that part of it that may go.

        Raises:
            NodesNever, NobodyThere, TooManyQuestions, NoAnswer, CountRose, SetupProblem, CloudError: nothing was sent.
            OperationStopped: stopped before anything was sent.
        """
        operations = self._operations
        if not await self._asks():
            return await operations.clear_history(
                asker.origin, watch, backup=backup, title=asker.title, prompt_key=asker.key
            )
        with self._questions.place(asker):
            connection = await operations.find_connection(asker.key)
            if await operations.clears_by_ids(backup):
                preview = await operations.preview_everything(connection, watch)
                ids = preview.finished_ids
                return await self._delete_shown(ids, preview, connection, asker, watch, backup)
            return await self._clear_counted(connection, asker, watch, backup)

    async def _asks(self) -> bool:
        """Whether the person has to be asked. Raises NodesNever."""
        settings = await run_in_thread(self._operations.settings.in_force)
        mode = self._operations.nodes_may_delete(settings).mode
        if mode == "never":
            raise NodesNever("Workflows may not delete.")
        return mode == "ask"

    async def _delete_shown(
        self,
        job_ids: Sequence[str],
        preview: DeletionPreview,
        connection: Connection,
        asker: Asker,
        watch: Watch,
        backup: bool | None,
        *,
        asks: bool = True,
    ) -> DeletionResult | Skipped:
        # With nothing to be removed there is nothing to ask, and nothing is sent: the result says why of each.
        if asks and preview.size:
            promised = await self._operations.backs_up(backup)
            about = deletion_summary(preview) | {"backup": promised}
            if not await self._ask(about, connection, asker, watch):
                return Skipped()
            # It may be switched off while the question stands: the yes was to a deletion with copies.
            backup = promised or backup
        confirmed = _confirmed(preview, connection, asker, backup)
        return await self._operations.delete_jobs(
            job_ids, asker.origin, watch, confirmed, backup=backup, title=asker.title
        )

    async def _clear_counted(
        self, connection: Connection, asker: Asker, watch: Watch, backup: bool | None
    ) -> ClearResult | DeletionResult | Skipped:
        operations = self._operations
        counts = await operations.count(connection, watch)
        asked = 0
        while counts.finished:
            preview = ClearPreview(counts)
            # A literal clear backs nothing up.
            about = clear_summary(preview) | await self._span(preview, connection, watch) | {"backup": False}
            if not await self._ask(about, connection, asker, watch):
                return Skipped()
            asked += 1
            try:
                confirmed = _confirmed(preview, connection, asker, backup)
                return await operations.clear_history(
                    asker.origin, watch, confirmed, backup=backup, title=asker.title
                )
            except CountRose as more:
                if asked == MAX_QUESTIONS:
                    raise
                counts = more.counts
        return ClearResult(ClearOutcome.DELETED, counts, after=counts)

    async def _span(self, preview: ClearPreview, connection: Connection, watch: Watch) -> Payload:
        """How old the jobs are, where that can be read: nobody needs it to delete."""
        try:
            oldest, newest = await self._operations.span(connection, preview.counts, watch)
        except OperationStopped:
            raise
        except CloudError:
            oldest = newest = None
        return {"oldest": milliseconds(oldest), "newest": milliseconds(newest), "outputs": None}

    async def _ask(self, about: Payload, connection: Connection, asker: Asker, watch: Watch) -> bool:
        whose = {"last4": connection.key.secret.last4, "host": connection.base_url.host}
        return await self._questions.ask(asker, about | whose, watch)


def _confirmed(
    preview: Preview, connection: Connection, asker: Asker, backup: bool | None
) -> DeletionRequest:
    return DeletionRequest(preview, connection, new_operation(), asker.origin, backup)
