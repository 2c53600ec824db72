"""One approval request on a simulated clock. Both processes communicate only through files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloud_history.approval.approval import Answer, ApprovalAnswers, ApprovalRequests, RequestingNode
from cloud_history.errors import CloudError
from cloud_history.state.settings import Backup
from support.fake_history_client import Person

TAB = "tab-1"
ASKER = RequestingNode(client=TAB, node="5", title="Tidy up", workflow="Portraits", workflow_id="w-1")
ABOUT = {"kind": "delete", "removable": 3}
EPOCH = 1_700_000_000.0
NOBODY = "0" * 32


class Scene:
    """One approval request, and the actions of a page at given times."""

    def __init__(self, folder: Path, connected: tuple[str, ...] = (TAB,)) -> None:
        self.folder = folder
        self.now = 0.0
        self.clock_set_by = 0.0
        """Seconds by which somebody has set the clock."""
        self.events: list[tuple[float, str, dict[str, Any], str]] = []
        self.questions = ApprovalRequests(
            folder,
            self._heard,
            connected.__contains__,
            sleep=self._sleep,
            clock=lambda: self.now,
            today=self.today,
        )
        self.answers = ApprovalAnswers(folder, today=self.today, clock=lambda: self.now + self._read)
        self.shown: dict[str, Any] = {}
        """The question as the page shows it."""
        self.reads_for = 1.0
        """Seconds between seeing a question and answering it, on the clock of the answers alone."""
        self._read = 0.0
        self.facts_read = 0
        """How often the node has read the facts of its question."""
        self.facts_fail = False
        self._planned: list[tuple[float, Callable[[], None]]] = []
        self.when_closed: Callable[[], None] = lambda: None

    def today(self) -> float:
        return EPOCH + self.now + self.clock_set_by

    def at(self, moment: float, act: Callable[[], None]) -> None:
        self._planned.append((moment, act))

    def ask(self, requester: RequestingNode = ASKER, person: Person | None = None) -> bool:
        return self.ask_for_answer(requester, person).delete

    def ask_for_answer(self, requester: RequestingNode = ASKER, person: Person | None = None) -> Answer:
        return asyncio.run(self.questions.request(requester, ABOUT, person or Person(), self.read_facts))

    async def read_facts(self) -> dict[str, Any]:
        """Read the facts of the question, as a node does when the page asks for them."""
        self.facts_read += 1
        if self.facts_fail:
            raise CloudError("internal")
        return {"files": 7}

    def facts(self) -> dict[str, Any]:
        """Ask for the facts of the announced approval request, as a page does."""
        self.fetch()
        return self.answers.facts(self.shown["question"], self.shown["token"])

    @property
    def named(self) -> str:
        """Return the latest approval request that was announced to the page."""
        opened = (event for _, _, event, _ in reversed(self.events) if event["state"] == "open")
        return str(next(opened)["question"])

    def fetch(self) -> None:
        """Fetch the announced approval request, as a page does."""
        self.shown = self.answers.fetch(self.named)

    def see(self) -> None:
        self.fetch()
        self.answers.mark_seen(self.shown["question"], self.shown["token"])

    def answer(self, word: str = "delete", backup: Backup | None = None) -> None:
        """Answer the approval request, as a person who has read it."""
        if self.shown.get("question") != self.named:
            self.fetch()
        self._read += self.reads_for
        self.answers.answer(self.shown["question"], self.shown["token"], word, backup)

    def files(self) -> list[Path]:
        return sorted((self.folder / "asking").glob("*"))

    def opened(self) -> list[float]:
        return [when for when, _, event, _ in self.events if event["state"] == "open"]

    def _heard(self, name: str, event: Mapping[str, Any], client: str) -> None:
        self.events.append((self.now, name, dict(event), client))
        if event["state"] == "closed":
            self.when_closed()

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now = round(self.now + seconds, 3)
        due = [each for each in self._planned if each[0] <= self.now]
        self._planned = [each for each in self._planned if each[0] > self.now]
        for _, act in due:
            act()


def left_behind(scene: Scene, ends: float, **more: object) -> Path:
    """Leave the approval request of a process that has ended."""
    (scene.folder / "asking").mkdir(parents=True, exist_ok=True)
    path = scene.folder / "asking" / f"{NOBODY}.json"
    path.write_text(json.dumps({"about": ABOUT, "ends": ends, **more}))
    path.with_suffix(".seen").write_text("")
    path.with_suffix(".answer").write_text("")
    return path
