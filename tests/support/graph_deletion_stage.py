"""Workflows that delete jobs of an in-memory history, and scripted approvals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cloud_history.approval.approval import Answer, ApprovalRequests, RequestingNode
from cloud_history.approval.graph_deletions import GraphDeletions
from cloud_history.deletion.outcomes import ClearResult, DeletionResult, Skipped
from cloud_history.service import Operations
from cloud_history.state.settings import Backup
from cloud_history.tasks.stopping import Unwatched, Watch
from support.fake_history_client import FakeClient
from support.no_backups import without_backups

KEY = "comfyui-unit-graph-deletions-0123-wxyz"
ASKER = RequestingNode(client="tab", node="7", title="Tidy up")
Act = Callable[[], None]


class Asked(ApprovalRequests):
    """Answers approval requests by a script, and records them."""

    def __init__(self, answers: Sequence[bool | Answer | Exception] = (), there: bool = True) -> None:
        self.about: list[dict[str, Any]] = []
        self.meanwhile: Act = lambda: None
        self._answers = list(answers)
        super().__init__(Path("unused"), lambda event, payload, client: None, lambda client: there)

    async def request(
        self,
        requester: RequestingNode,
        about: Mapping[str, Any],
        watch: Watch,
        facts: Callable[[], Awaitable[dict[str, Any]]] | None = None,
    ) -> Answer:
        assert requester.node == "7"
        self.about.append(dict(about))
        answer = self._answers.pop(0)
        self.meanwhile()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Answer) else Answer(answer)


class Room:
    """The operations on an in-memory history, and the setting for deletions by workflows."""

    def __init__(self, folder: Path, client: FakeClient, **environ: str) -> None:
        self.client = client

        @asynccontextmanager
        async def open_client(base_url: object, key: Any) -> Any:
            self.used.append(key.secret.reveal())
            yield client

        async def no_wait(seconds: float) -> None:
            await asyncio.sleep(0)

        self.used: list[str] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.operations = Operations(
            without_backups(folder),
            {"COMFY_CLOUD_API_KEY": KEY, **environ},
            lambda name, event: self.events.append((name, dict(event))),
            open_client,  # type: ignore[arg-type]
            no_wait,
        )
        self.asked = Asked()

    def delete(
        self,
        job_ids: list[str],
        *answers: bool | Answer | Exception,
        requester: RequestingNode = ASKER,
        watch: Watch | None = None,
    ) -> DeletionResult | Skipped:
        self.asked = Asked(answers) if answers else self.asked
        deletions = GraphDeletions(self.operations, self.asked)
        result = asyncio.run(deletions.delete(job_ids, requester, watch or Unwatched()))
        assert not isinstance(result, ClearResult)
        return result

    def clear(
        self, *answers: bool | Answer | Exception, meanwhile: Act = lambda: None, backup: Backup | None = None
    ) -> ClearResult | DeletionResult | Skipped:
        self.asked = Asked(answers) if answers else self.asked
        self.asked.meanwhile = meanwhile
        return asyncio.run(GraphDeletions(self.operations, self.asked).clear(ASKER, Unwatched(), backup=backup))

    @property
    def untouched(self) -> bool:
        return not (self.client.deletes or self.client.clears or self.client.pages or self.client.asked)
