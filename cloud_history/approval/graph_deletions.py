"""Deletions that come from a workflow. Anybody may have made it, so the person who queued it has to approve."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from ..deletion.outcomes import ClearOutcome, ClearResult, DeletionResult, Skipped
from ..deletion.preview import ClearPreview
from ..deletion.report import Payload
from ..deletion.request import DeletionRequest
from ..errors import CloudError, HistoryGrew, OperationStopped, WorkflowsMayNotDelete
from ..jobs.filters import Selection
from ..jobs.ids import new_hex_id
from ..jobs.rows import milliseconds
from ..retention.cleanup import preview_now, resolve
from ..retention.policy import CleanUpPreview, Policy
from ..secret import log_about
from ..service import Operations
from ..state.credentials import Connection
from ..tasks.stopping import Watch
from ..tasks.threads import run_in_thread
from .approval import ApprovalRequests, RequestingNode

MAX_APPROVALS_PER_CLEAR = 3
"""How often one node asks again because the history has grown."""

Result = ClearResult | DeletionResult | Skipped


class GraphDeletions:
    """What the nodes do. The setting decides whether they delete at once, ask for approval, or refuse.

    All but `preview_clean_up` raise:
        WorkflowsMayNotDelete, NoBrowserConnected, TooManyApprovals, NoAnswer, SetupProblem, CloudError: nothing was
            sent.
        OperationStopped: stopped before anything was sent.
    """

    def __init__(self, operations: Operations, approvals: ApprovalRequests) -> None:
        self._operations = operations
        self._approvals = approvals

    async def delete(
        self, job_ids: Sequence[str], requester: RequestingNode, watch: Watch, *, backup: bool | None = None
    ) -> Result:
        """Delete these jobs, or those of them that the person saw and confirmed.

        Args:
            backup: whether workflows are backed up first; None: as the setting says.
        """
        asks = await self._asks()
        with self._approvals.reserve(requester) if asks else nullcontext():
            connection = await self._operations.find_connection(requester.key)
            request = DeletionRequest(job_ids, connection, requester.origin, requester.title, backup)
            if asks:
                preview = await self._operations.preview(connection, Selection(job_ids=job_ids), watch)
                approved = await self._approved(replace(request, preview=preview), requester, watch)
                if approved is None:
                    return Skipped()
                request = approved
            return await self._operations.carry_out(request, watch)

    async def clean_up(
        self,
        policy: Policy,
        requester: RequestingNode,
        watch: Watch,
        *,
        allow_large: bool,
        backup: bool | None = None,
    ) -> tuple[CleanUpPreview, Result | None]:
        """Delete what the policy does not keep. What it would do, and what became of it: None where nothing would go.

        Raises:
            PolicyRefused: nothing was sent.
        """
        asks = await self._asks()
        with self._approvals.reserve(requester) if asks else nullcontext():
            connection = await self._operations.find_connection(requester.key)
            would, preview = await resolve(self._operations, connection, policy, watch, allow_large=allow_large)
            if not preview.size:
                return would, None
            request = DeletionRequest(preview.job_ids, connection, requester.origin, requester.title, backup, preview)
            approved = await self._approved(request, requester, watch) if asks else request
            return would, await self._operations.carry_out(approved, watch) if approved else Skipped()

    async def preview_clean_up(self, policy: Policy, requester: RequestingNode, watch: Watch) -> CleanUpPreview:
        """What the policy would do, even if its guards would refuse it. Raises PolicyRefused, CloudError."""
        connection = await self._operations.find_connection(requester.key)
        return await preview_now(self._operations, connection, policy, watch)

    async def clear(self, requester: RequestingNode, watch: Watch, *, backup: bool | None = None) -> Result:
        """Clear the history, or the part of it that is not protected.

        Raises:
            HistoryGrew: nothing was sent.
        """
        operations = self._operations
        asks = await self._asks()
        with self._approvals.reserve(requester) if asks else nullcontext():
            connection = await operations.find_connection(requester.key)
            request = DeletionRequest(None, connection, requester.origin, requester.title, backup)
            if not asks:
                return await operations.carry_out(request, watch)
            if not await operations.clears_by_ids(backup):
                return await self._clear_counted(request, requester, watch)
            preview = await operations.preview_everything(connection, watch)
            request = replace(request, job_ids=preview.finished_ids, preview=preview)
            approved = await self._approved(request, requester, watch)
            return await operations.carry_out(approved, watch) if approved else Skipped()

    async def _asks(self) -> bool:
        """Whether the person has to be asked. Raises WorkflowsMayNotDelete."""
        settings = await run_in_thread(self._operations.settings.in_force)
        mode = self._operations.nodes_may_delete(settings).mode
        if mode == "never":
            raise WorkflowsMayNotDelete()
        return mode == "ask"

    async def _approved(
        self, request: DeletionRequest, requester: RequestingNode, watch: Watch
    ) -> DeletionRequest | None:
        """The request as the person approved it; None where they said no."""
        preview = request.preview
        # If no job would go there is nothing to approve. The result says why each job stays.
        if preview is None or not preview.size:
            return request
        backup = await self._operations.backs_up(request.backup)
        if not await self._ask(preview.payload() | {"backup": backup}, request, requester, watch):
            return None
        # It may be switched off before the answer comes: the yes was to a deletion with backups.
        return replace(request, backup=backup or request.backup)

    async def _clear_counted(self, request: DeletionRequest, requester: RequestingNode, watch: Watch) -> Result:
        counts = await self._operations.count(request.connection, watch)
        asked = 0
        while counts.finished:
            preview = ClearPreview(counts)
            request = replace(request, preview=preview, operation=new_hex_id())
            # A literal clear backs nothing up.
            about = preview.payload() | await self._span(preview, request.connection, watch)
            if not await self._ask(about | {"backup": False}, request, requester, watch):
                return Skipped()
            asked += 1
            try:
                return await self._operations.carry_out(request, watch)
            except HistoryGrew as more:
                if asked == MAX_APPROVALS_PER_CLEAR:
                    raise
                counts = more.counts
        return ClearResult(ClearOutcome.DELETED, counts, after=counts)

    async def _span(self, preview: ClearPreview, connection: Connection, watch: Watch) -> Payload:
        """The times of the oldest and newest job, which the person is shown; None for both if they can’t be read."""
        try:
            oldest, newest = await self._operations.span(connection, preview.counts, watch)
        except OperationStopped:
            raise
        except CloudError:
            oldest = newest = None
        return {"oldest": milliseconds(oldest), "newest": milliseconds(newest), "outputs": None}

    async def _ask(self, about: Payload, request: DeletionRequest, requester: RequestingNode, watch: Watch) -> bool:
        connection = request.connection
        whose = {"last4": connection.key.secret.last4, "host": connection.base_url.host}
        with log_about(request.operation):
            return await self._approvals.request(requester, about | whose, watch)
