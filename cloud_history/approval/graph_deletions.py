"""Deletions by a workflow. Anybody may have made the workflow, so the person who queued it has to approve."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from ..deletion.events import Events
from ..deletion.holds import HoldWatch
from ..deletion.outcomes import ClearOutcome, ClearResult, DeletionResult, Skipped
from ..deletion.preview import ClearPreview, DeletionPreview, Preview
from ..deletion.report import Payload
from ..deletion.request import DeletionRequest
from ..errors import CloudError, HistoryGrew, OperationRefused, OperationStopped
from ..jobs.filters import JobFilter, Selection
from ..jobs.ids import new_hex_id
from ..jobs.rows import job_row
from ..jobs.status import JobCounts
from ..outputs.facts import FACTS_SECONDS, facts_payload
from ..retention.cleanup import preview_now, resolve
from ..retention.policy import CleanUpPreview, Policy
from ..secret import log_about
from ..service import Operations
from ..state.credentials import Connection
from ..state.settings import Backup
from ..tasks.stopping import Unwatched, Watch
from ..tasks.threads import compute_in_thread, run_in_thread
from .approval import Answer, ApprovalRequests, RequestingNode

MAX_APPROVALS_PER_CLEAR = 3
"""How often one node asks again because the history has grown."""
MAX_SHOWN_JOBS = 12
"""Maximum number of jobs in a question, because its file may have 64 KB."""

Result = ClearResult | DeletionResult | Skipped


class _ShownInPanels:
    """The watch of a node, which also passes the progress on to the panels of all browsers."""

    def __init__(self, watch: Watch, request: DeletionRequest, events: Events) -> None:
        self._watch = watch
        asked = request.preview.size if request.preview else len(request.job_ids or ())
        self._panels = HoldWatch(partial(events.progressed, request.operation, request.kind, workflow_jobs=asked))

    def stop_requested(self) -> bool:
        return self._watch.stop_requested()

    def progress(self, phase: str, done: int, total: int) -> None:
        self._watch.progress(phase, done, total)
        self._panels.progress(phase, done, total)


class GraphDeletions:
    """Deletions for the nodes. A setting decides whether nodes delete at once, ask for approval, or refuse.

    All methods except `preview_clean_up` raise CloudError if nothing was sent: OperationRefused if the person did not
    approve or could not be asked, OperationStopped if the person stopped the workflow.
    """

    def __init__(self, operations: Operations, approvals: ApprovalRequests) -> None:
        self._operations = operations
        self._approvals = approvals

    async def delete(
        self, job_ids: Sequence[str], requester: RequestingNode, watch: Watch, *, backup: Backup | None = None
    ) -> Result:
        """Delete these jobs. If the person is asked, only the jobs in the approved preview are deleted.

        Args:
            backup: what is kept first; None to use the setting.
        """
        asks = await self._must_ask()
        with self._approvals.reserve(requester) if asks else nullcontext():
            connection = await self._operations.find_connection(requester.key)
            request = DeletionRequest(job_ids, connection, requester.origin, requester.title, backup)
            if asks:
                preview = await self._operations.preview(connection, Selection(job_ids=job_ids), watch)
                approved = await self._approved(replace(request, preview=preview), requester, watch)
                if approved is None:
                    return Skipped()
                request = approved
            return await self._carry_out(request, watch)

    async def clean_up(
        self,
        policy: Policy,
        requester: RequestingNode,
        watch: Watch,
        *,
        allow_large: bool,
        backup: Backup | None = None,
    ) -> tuple[CleanUpPreview, Result | None]:
        """Delete the jobs that the policy does not keep. Return the preview and the result; None if no job would go.

        Raises:
            PolicyRefused: no rule is on, or too many jobs would go. Nothing was sent.
        """
        asks = await self._must_ask()
        with self._approvals.reserve(requester) if asks else nullcontext():
            connection = await self._operations.find_connection(requester.key)
            would, preview = await resolve(self._operations, connection, policy, watch, allow_large=allow_large)
            if not preview.size:
                return would, None
            request = DeletionRequest(preview.job_ids, connection, requester.origin, requester.title, backup, preview)
            approved = await self._approved(request, requester, watch) if asks else request
            return would, await self._carry_out(approved, watch) if approved else Skipped()

    async def preview_clean_up(self, policy: Policy, requester: RequestingNode, watch: Watch) -> CleanUpPreview:
        """Return what the policy would delete, however large the share. Raise PolicyRefused if no rule is on."""
        connection = await self._operations.find_connection(requester.key)
        return await preview_now(self._operations, connection, policy, watch)

    async def clear(self, requester: RequestingNode, watch: Watch, *, backup: Backup | None = None) -> Result:
        """Clear the history, except protected jobs.

        Raises:
            HistoryGrew: more jobs finished each time the person had approved. Nothing was sent.
        """
        operations = self._operations
        asks = await self._must_ask()
        with self._approvals.reserve(requester) if asks else nullcontext():
            connection = await operations.find_connection(requester.key)
            request = DeletionRequest(None, connection, requester.origin, requester.title, backup)
            if not asks:
                return await self._carry_out(request, watch)
            if not await operations.clears_by_ids(backup):
                return await self._clear_counted(request, requester, watch)
            preview = await operations.preview_everything(connection, watch)
            request = replace(request, job_ids=preview.finished_ids, preview=preview)
            approved = await self._approved(request, requester, watch)
            return await self._carry_out(approved, watch) if approved else Skipped()

    async def _carry_out(self, request: DeletionRequest, watch: Watch) -> ClearResult | DeletionResult:
        """Carry out a deletion, and show its progress in the panels of all browsers."""
        operations = self._operations
        if operations.keys.refuses_shared_key:  # several people share this ComfyUI
            return await operations.carry_out(request, watch)
        try:
            return await operations.carry_out(request, _ShownInPanels(watch, request, operations.events))
        finally:
            operations.events.forget(request.operation)

    async def _must_ask(self) -> bool:
        """Return whether the person has to be asked. Raise OperationRefused if workflows may not delete."""
        settings = await run_in_thread(self._operations.settings.in_force)
        mode = self._operations.nodes_may_delete(settings).mode
        if mode == "never":
            raise OperationRefused("nodes_never")
        return mode == "ask"

    async def _approved(
        self, request: DeletionRequest, requester: RequestingNode, watch: Watch
    ) -> DeletionRequest | None:
        """Ask for approval. Return the approved request; None if the person chose to skip."""
        preview = request.preview
        # If no job would be deleted, there is nothing to approve. The result says why each job stays.
        if preview is None or not preview.size:
            return request
        backup = await self._operations.backup_in_force(request.backup)
        if isinstance(preview, DeletionPreview) and preview.finished is None:
            preview = replace(preview, finished=await self._count_finished(request.connection, watch))
        answer = await self._ask(preview, request, requester, watch, backup=backup)
        if not answer.delete:
            return None
        if answer.backup is not None:
            return replace(request, backup=answer.backup)
        # The person approved a deletion with backups, so turning the setting off meanwhile has no effect.
        return replace(request, backup=request.backup if backup == "off" else backup)

    async def _clear_counted(self, request: DeletionRequest, requester: RequestingNode, watch: Watch) -> Result:
        counts = await self._operations.count(request.connection, watch)
        asked = 0
        while counts.finished:
            preview = await self._operations.preview_clear(request.connection, counts, watch)
            request = replace(request, preview=preview, operation=new_hex_id())
            answer = await self._ask(preview, request, requester, watch, backup="off")
            if not answer.delete:
                return Skipped()
            if answer.backup not in (None, "off"):
                return await self._clear_backed_up(replace(request, backup=answer.backup), counts, requester, watch)
            asked += 1
            try:
                return await self._carry_out(request, watch)
            except HistoryGrew as more:
                if asked == MAX_APPROVALS_PER_CLEAR:
                    raise
                counts = more.counts
        return ClearResult(ClearOutcome.DELETED, counts, after=counts)

    async def _clear_backed_up(
        self, request: DeletionRequest, counts: JobCounts, requester: RequestingNode, watch: Watch
    ) -> Result:
        """Clear by deleting exact jobs, which a backup needs. Asks again if more have finished since `counts`."""
        preview = await self._operations.preview_everything(request.connection, watch)
        exact: DeletionRequest | None = replace(request, job_ids=preview.finished_ids, preview=preview)
        if exact and preview.size > counts.finished:
            exact = await self._approved(replace(exact, operation=new_hex_id()), requester, watch)
        return await self._carry_out(exact, watch) if exact else Skipped()

    async def _count_finished(self, connection: Connection, watch: Watch) -> int | None:
        """Count the finished jobs of the history; None if they can’t be counted."""
        try:
            return (await self._operations.count(connection, watch)).finished
        except OperationStopped:
            raise
        except CloudError:
            return None

    async def _ask(
        self, preview: Preview, request: DeletionRequest, requester: RequestingNode, watch: Watch, *, backup: Backup
    ) -> Answer:
        connection = request.connection
        estimates = self._operations.backup_estimates
        estimate = await run_in_thread(estimates.estimate, preview.size, connection.account)
        about = {
            **await compute_in_thread(preview.payload),
            "rows": [job_row(job) for job in preview.jobs[:MAX_SHOWN_JOBS]],
            "backup": backup,
            "backup_estimate": estimate.payload(),
            "last4": connection.key.secret.last4,
            "host": connection.base_url.host,
        }
        with log_about(request.operation):
            facts = partial(self._facts, preview, connection)
            return await self._approvals.request(requester, about, watch, facts)

    async def _facts(self, preview: Preview, connection: Connection) -> Payload:
        """Return what is known of the outputs of the jobs in a question. Raise CloudError if that fails."""
        operations, jobs = self._operations, preview.jobs
        if isinstance(preview, ClearPreview):
            jobs = await operations.finished_jobs(connection, Selection(filter=JobFilter()), Unwatched())
        facts = await operations.output_facts(connection, jobs, Unwatched(), FACTS_SECONDS)
        here = await operations.outputs.here([job.id for job in jobs])
        return await compute_in_thread(facts_payload, facts, here)
