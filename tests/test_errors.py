"""Every error has a code, every sentence of an error one place, and every value that it names is given."""

from __future__ import annotations

import ast
import json
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_history import errors
from cloud_history.deletion.report import error_payload
from cloud_history.errors import (
    PLAN_REFUSALS,
    CloudError,
    CloudResponseError,
    NotFound,
    RateLimited,
    StateUnwritable,
)
from cloud_history.routes.request import RequestRefused
from cloud_history.sentences import SENTENCES

PACK = Path(__file__).parents[1]
FAMILIES = {"OperationRefused", "SetupProblem", "_FileDamaged", "CloudResponseError"}
"""Classes that are never raised, so they have no code of their own."""
CHOSEN_BY_THE_CLASS = {
    *map(str.lower, PLAN_REFUSALS),
    *("rate_limited", "rate_limited_for", "list_not_whole", "list_doubtful"),
    *("settings_refused", "settings_unreadable", "protection_refused", "protection_unreadable"),
}
CHOSEN_AT_THE_CALL = {
    *("home_not_absolute", "home_of_unknown_user", "home_not_printable", "home_with_variable"),
    *("state_without_marker", "state_empty", "cancelled", "undone"),
}
GIVEN_BY_THE_CLASS = {"status", "seconds", "report", "have", "more", "name", "cause", "why"}


def classes(base: type[CloudError] = CloudError) -> Iterator[type[CloudError]]:
    yield base
    for each in base.__subclasses__():
        yield from classes(each)


def raised() -> Iterator[tuple[str, str, set[str]]]:
    """Each place that makes an error: where, the code of its sentence, and the names of the values it gives."""
    known = {each.__name__: each for each in classes()}
    for path in [*(PACK / "cloud_history").rglob("*.py"), *(PACK / "nodes").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name) and node.exc.id in known:
                yield f"{path.name}:{node.lineno}", known[node.exc.id].code, set()
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in known:
                continue
            kind = known[getattr(node.func, "id", "")]
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            code = next((each for each in texts if isinstance(each, str)), kind.code)
            yield f"{path.name}:{node.lineno}", code, {each.arg or "" for each in node.keywords}


def test_every_class_of_errors_has_a_code_of_its_own() -> None:
    assert issubclass(RequestRefused, CloudError)
    own = [each for each in classes() if each.__name__ not in FAMILIES]
    twice = [code for code, times in Counter(each.code for each in own).items() if times > 1]
    assert len(own) > 50
    assert not twice


def test_no_two_codes_stand_for_the_same_sentence() -> None:
    told = Counter(f"{each.message} {each.hint}" for each in SENTENCES.values())
    assert [text for text, times in told.items() if times > 1] == []


def test_every_error_that_is_raised_has_its_sentence_and_gives_all_of_its_values() -> None:
    for place, code, given in raised():
        if code not in SENTENCES:
            assert code in {each.code for each in classes()}, place  # the class chooses among several
            continue
        texts = [
            *SENTENCES[code],
            *({each.default_hint for each in classes()} if not SENTENCES[code].hint else ()),
        ]
        named = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
        assert named <= given | GIVEN_BY_THE_CLASS, place


def test_no_sentence_is_left_that_nothing_says() -> None:
    said = {code for _, code, _ in raised()} | {each.code for each in classes(CloudResponseError)}
    said |= CHOSEN_BY_THE_CLASS | CHOSEN_AT_THE_CALL
    assert set(SENTENCES) - said == set()


def test_a_browser_gets_the_code_the_sentence_with_its_values_and_the_words() -> None:
    error = StateUnwritable(
        "setting_not_saved", because=PermissionError(13, "Permission denied", "/home/me/settings.json")
    )
    told = error_payload(error)
    assert (told["code"], told["sentence"], told["values"]) == ("state_unwritable", "setting_not_saved", {})
    assert told["message"] == "The setting can’t be saved."
    assert told["hint"].startswith("Permission denied (settings.json). Free some disk space")
    waiting = error_payload(RateLimited(429, retry_after=1.2, cloud_says="Wait"))
    assert (waiting["sentence"], waiting["values"]) == ("rate_limited_for", {"status": 429, "seconds": 2})
    assert waiting["message"] == "Too many requests in a short time."
    assert waiting["cloud_says"] == "Wait"


@pytest.mark.parametrize(
    "error", [NotFound(404, "no_such_file"), StateUnwritable("backup_gone", operation=Path("a"))]
)
def test_the_values_of_an_error_are_json(error: CloudError) -> None:
    assert json.loads(json.dumps(error_payload(error)))["sentence"] == error.sentence


def test_a_sentence_that_is_not_in_the_table_is_no_sentence() -> None:
    with pytest.raises(KeyError):
        errors.InputRefused("Anything at all.")
