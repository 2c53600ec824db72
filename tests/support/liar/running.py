"""Run random cases one after the other. The first failing case is shrunk and reported."""

from __future__ import annotations

from types import ModuleType

from hypothesis import HealthCheck, Phase, given, seed, settings

from support.liar.cases import CASES, Case
from support.liar.oracle import Oracle
from support.liar.stage import carry_out


def check(case: Case, pack: ModuleType) -> None:
    """Fail with a description of each wrong report and each wrong action of this case."""
    scene, told, backed_up = carry_out(case, pack)
    wrong = Oracle(scene, told, backed_up).contradictions()
    if wrong:
        said = f"{told.error}\n{told.report}".strip()[:1500]
        raise AssertionError("\n".join([repr(case), *wrong[:12], "What was said:", said]))


def check_random_cases(number: int, of_seed: int, pack: ModuleType) -> None:
    """Check this many random cases, the same ones for the same seed."""

    @seed(of_seed)
    @settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(CASES)
    def holds(case: Case) -> None:
        check(case, pack)

    holds()
