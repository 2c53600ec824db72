"""Random cases for a cloud that breaks its contract: a history, the bends, and a person's action."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hypothesis import strategies as st

from simulated_cloud import BENDS
from support.choices import Choices, made_of

OPERATIONS = (
    "node delete",
    "panel ids",
    "node clear",
    "panel clear",
    "panel filter",
    "node clean up",
    "panel policy",
    "node list",
    "panel list",
)
DELETIONS = (
    "keeps_jobs",
    "keeps_jobs",
    "keeps_jobs",
    "removes_later",
    "refuses_with_200",
    "refuses_and_removes",
    "removes_active",
)
MEANWHILE = ("vanish", "finish", "arrive")
READS = tuple(name for name, way in BENDS.items() if way.routes != ("history",))
_SIZES = {
    "caps_limit": 20,
    "caps_limit_in_silence": 20,
    "caps_limit_without_a_word": 20,
    "huge_jobs": 75,
    "removes_later": 12,
}


@dataclass(frozen=True)
class Case:
    """One case. Bends are written as on the command line of the playground.

    Attributes:
        jobs: the number of jobs of the account; seed: the seed of the account.
        finished, active, gone, unknown: the number of jobs of each kind that are requested by id.
        protected: the number of protected jobs, requested or any; workflow: whether one workflow is protected.
        backup: whether workflows are backed up first; held: whether a deletion of the panel is held before it is sent.
        upper: whether some ids are in upper case on the cloud itself; cursor: whether it pages by cursors.
        page: how many jobs the client asks for at once.
        meanwhile: what happens to the account between preview and confirmation.
        protect_at: the number of the request at which another browser protects one more of the requested jobs.
    """

    operation: str = OPERATIONS[0]
    jobs: int = 12
    seed: int = 1
    finished: int = 1
    active: int = 0
    gone: int = 0
    unknown: int = 0
    protected: int = 0
    workflow: bool = False
    backup: bool = False
    held: bool = False
    upper: bool = False
    cursor: bool = False
    page: int = 1000
    bends: tuple[str, ...] = ()
    meanwhile: tuple[str, ...] = ()
    protect_at: int = 0

    def __repr__(self) -> str:
        """Return the case as Python source, without default values."""
        usual = Case()
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return f"Case({', '.join(f'{k}={v!r}' for k, v in told.items() if v != getattr(usual, k))})"


def _bend(choices: Choices, name: str) -> str:
    parts = [name]
    if name in _SIZES:
        parts.append(f"size={1 + choices.below(_SIZES[name])}")
    rows = choices.one_of(("all", "all", "one", "some"))
    if rows != "all":
        parts.append(f"rows={rows}")
    where = choices.one_of(("list", "list", "details", "both"))
    if BENDS[name].row is not None and where != "list":
        parts.append(f"where={where}")
    if name not in DELETIONS and choices.below(2):
        parts.append("after_deletion=true")
    after = choices.one_of((0, 0, 0, 1, 2, 4))
    if after:
        parts.append(f"after={after}")
    times = choices.one_of((0, 0, 0, 1, 2, 6))
    if times:
        parts.append(f"times={times}")
    return ",".join(parts)


def _case(choices: Choices) -> Case:
    operation = choices.one_of(OPERATIONS)
    deletion = choices.below(4)
    names = [choices.one_of(DELETIONS)] if deletion else []
    names += [choices.one_of(READS) for _ in range(choices.below(5))]
    return Case(
        operation=operation,
        bends=tuple(_bend(choices, name) for name in names),
        jobs=(4, 12, 30, 60, 150)[choices.below(5)],
        seed=1 + choices.below(3),
        finished=(1, 3, 8, 25, 60)[choices.below(5)],
        active=choices.one_of((0, 0, 1, 2)),
        gone=choices.one_of((0, 0, 1, 3)),
        unknown=choices.one_of((0, 0, 0, 1)),
        protected=choices.one_of((0, 0, 0, 0, 1, 2)),
        workflow=choices.below(8) == 1,
        backup=choices.below(6) == 1,
        held=choices.below(3) == 1,
        upper=choices.below(6) == 1,
        cursor=choices.below(3) == 1,
        page=choices.one_of((1000, 1000, 7, 20, 100)),
        meanwhile=tuple(choices.one_of(MEANWHILE) for _ in range(choices.one_of((0, 0, 0, 1, 2)))),
        protect_at=choices.one_of((0, 0, 0, 0, 1, 2, 3, 4, 6, 9)),
    )


CASES: st.SearchStrategy[Case] = made_of(_case, 90)
