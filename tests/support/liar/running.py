"""Random cases, one after the other; the first that is wrong is made as small as it can be and told."""

from __future__ import annotations

from types import ModuleType

from hypothesis import HealthCheck, Phase, given, seed, settings

from support.liar.cases import CASES, Case
from support.liar.oracle import Oracle
from support.liar.stage import carry_out


def check(case: Case, pack: ModuleType) -> None:
    """Fail with everything that was said or done in this case and should not have been."""
    scene, told, backed_up = carry_out(case, pack)
    wrong = Oracle(scene, told, backed_up).contradictions()
    if wrong:
        said = f"{told.error}\n{told.report}".strip()[:1500]
        raise AssertionError("\n".join([repr(case), *wrong[:12], "What was said:", said]))


def check_random_cases(number: int, of_seed: int, pack: ModuleType) -> None:
    """Check so many random cases, the same ones for the same seed."""

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
