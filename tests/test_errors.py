"""Every error has a unique code, one sentence, and a value for each placeholder of the sentence."""

from __future__ import annotations

import ast
import json
import re
import string
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cloud_history import errors
from cloud_history.cloud.evidence import Defect, DefectKind
from cloud_history.deletion.report import error_payload
from cloud_history.errors import (
    PLAN_REFUSALS,
    CloudConnectionError,
    CloudError,
    CloudResponseError,
    CloudTimeoutError,
    FileTooLarge,
    HistoryGrew,
    Incomplete,
    ListNotWhole,
    NotFound,
    ProtectionDamaged,
    RateLimited,
    ServerFault,
    SettingsDamaged,
    StateUnwritable,
)
from cloud_history.outputs.errors import OutputDamaged
from cloud_history.payloads import reason_payload
from cloud_history.reasons import NO_REASON, REASONS, Reason
from cloud_history.routes.request import RequestRefused
from cloud_history.sentence import Worded
from cloud_history.sentences import SENTENCES

PACK = Path(__file__).parents[1]
FAMILIES = {"OperationRefused", "SetupProblem", "CloudResponseError"}
"""Base classes that are never raised, so they need no unique code."""
MADE_BY_THE_CLASS = {
    *map(str.lower, PLAN_REFUSALS),
    *("settings_refused", "settings_unreadable", "protection_refused", "protection_unreadable"),
}
GIVEN_BY_THE_CLASS: dict[type[CloudError], set[str]] = {
    FileTooLarge: {"status", "seconds", "megabytes", "gigabytes"},
    CloudResponseError: {"status", "seconds"},
    HistoryGrew: {"more", "have"},
    Incomplete: {"report"},
    ListNotWhole: {"why"},
    ProtectionDamaged: {"name", "cause"},
    SettingsDamaged: {"name", "cause"},
}


def classes(base: type[CloudError] = CloudError) -> Iterator[type[CloudError]]:
    yield base
    for each in base.__subclasses__():
        yield from classes(each)


@cache
def trees() -> dict[Path, ast.Module]:
    """Return the parsed Python files of the pack, except the tables of sentences."""
    files = [*(PACK / "cloud_history").rglob("*.py"), *(PACK / "nodes").glob("*.py")]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in files if "sentence" not in path.name}


def raised() -> Iterator[tuple[str, str, set[str]]]:
    """Yield file and line, sentence code and value names of each place that creates an error."""
    known = {each.__name__: each for each in classes()}
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name) and node.exc.id in known:
                yield f"{path.name}:{node.lineno}", known[node.exc.id].code, set()
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in known:
                continue
            kind = known[getattr(node.func, "id", "")]
            texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
            code = next((each for each in texts if isinstance(each, str)), kind.code)
            own = next((names for base, names in GIVEN_BY_THE_CLASS.items() if issubclass(kind, base)), set())
            yield f"{path.name}:{node.lineno}", code, {each.arg or "" for each in node.keywords} | own


def test_every_error_class_has_a_unique_code() -> None:
    assert issubclass(RequestRefused, CloudError)
    assert issubclass(OutputDamaged, CloudError)
    # Classes with an underscore never leave their module.
    own = [each for each in classes() if each.__name__ not in FAMILIES and not each.__name__.startswith("_")]
    twice = [code for code, times in Counter(each.code for each in own).items() if times > 1]
    assert len(own) > 50
    assert not twice


def test_no_two_error_codes_have_the_same_sentence() -> None:
    told = Counter(f"{each.message} {each.hint}" for each in SENTENCES.values())
    assert [text for text, times in told.items() if times > 1] == []


def test_every_raised_error_has_a_sentence_and_gives_all_values_of_its_placeholders() -> None:
    for place, code, given in raised():
        if code not in SENTENCES:
            assert code in {each.code for each in classes()}, place  # the class chooses one of several sentences
            continue
        texts = [
            *SENTENCES[code],
            *({each.default_hint for each in classes()} if not SENTENCES[code].hint else ()),
        ]
        named = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
        assert named <= given, place


def test_every_error_sentence_is_used() -> None:
    said = {code for _, code, _ in raised()} | {each.code for each in classes(CloudResponseError)}
    for tree in trees().values():
        said |= {
            each.value for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)
        }
    said |= MADE_BY_THE_CLASS
    assert set(SENTENCES) - said == set()


def test_an_error_payload_contains_code_sentence_values_and_message() -> None:
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


@pytest.mark.parametrize("error", [NotFound(404, "no_such_file"), StateUnwritable("backup_gone", operation=Path("a"))])
def test_the_values_in_an_error_payload_are_json(error: CloudError) -> None:
    assert json.loads(json.dumps(error_payload(error)))["sentence"] == error.sentence


def test_a_value_in_english_words_is_sent_as_the_value_alone() -> None:
    error = OutputDamaged("output_other_file_in_the_way", name="a.png", expected=Worded("folder", "a folder"))
    told = error_payload(error)
    assert told["message"] == "a.png in the folder for outputs is not a folder."
    assert told["values"] == {"name": "a.png", "expected": "folder"}
    doubtful = error_payload(ListNotWhole(Defect(DefectKind.UNREADABLE_ROWS, 2).reason))
    assert doubtful["message"] == "The list of jobs could not be read whole: 2 rows could not be read."
    assert doubtful["values"]["why"]["values"] == {"rows": 2}


def test_an_error_cannot_be_made_with_an_unknown_sentence() -> None:
    with pytest.raises(KeyError):
        errors.InputRefused("Anything at all.")


def test_errors_about_sent_requests_never_say_that_nothing_happened() -> None:
    sent = [each for each in classes(CloudResponseError) if each.code in SENTENCES]
    told = [f"{SENTENCES[each.code].message} {SENTENCES[each.code].hint} {each.default_hint}" for each in sent]
    told += [SENTENCES[code].message for code in ("connection_lost", "timeout", "took_too_long", "not_http")]
    told += [CloudConnectionError.default_hint, CloudTimeoutError.default_hint]
    assert len(told) > 15
    for text in told:
        assert not re.search("nothing was|untouched|still there|no job", text, re.IGNORECASE), text


def test_a_reason_payload_contains_code_values_and_text() -> None:
    assert reason_payload(NO_REASON) is None
    fault = {"code": "server_fault", "values": {"status": 502, "seconds": 0}, "text": "server error (502)"}
    assert reason_payload(ServerFault(502).reason) == fault
    nested = reason_payload(Reason("backup_failed", {"reason": ServerFault(502).reason}))
    text = "its workflow couldn’t be backed up: server error (502)"
    assert nested == {"code": "backup_failed", "values": {"reason": fault}, "text": text}
    assert json.loads(json.dumps(nested)) == nested


def test_reason_codes_are_unique_and_include_every_defect_of_a_list() -> None:
    assert not REASONS.keys() & SENTENCES.keys()
    assert not [words for words, times in Counter(REASONS.values()).items() if times > 1]
    assert {kind.value for kind in DefectKind} <= REASONS.keys()
    given = {
        each.value
        for tree in trees().values()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Reason"
        for each in ast.walk(call.args[0] if call.args else call)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    assert REASONS.keys() - given == {kind.value for kind in DefectKind}


def test_the_words_of_the_browser_are_those_of_the_server() -> None:
    source = (Path(__file__).parent.parent / "js/ui-1.2.0/words/en.json").read_text(encoding="utf-8")
    words = {key: text for key, text in json.loads(source).items() if key.startswith(("error.", "reason."))}
    hints = {each.code: each.default_hint for each in classes(CloudError)}
    assert len(words) > 300
    for key, text in words.items():
        kind, code, *part = key.split(".")
        if ", plural, " in text or ", select, " in text:
            continue
        text = text.replace(", size}", "}")
        if kind == "reason":
            said = REASONS.get(code) or SENTENCES[code].short
        elif part == ["hint"]:
            said = (SENTENCES[code].hint if code in SENTENCES else "") or hints[code]
        else:
            said = SENTENCES[code].message
        assert text == re.sub(r"\{(\w+):[^}]*\}", r"{\1}", said), key
