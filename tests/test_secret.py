"""A secret is never shown by printing, formatting, pickling or logging."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
from collections.abc import Iterator
from html import escape
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.secret import (
    CONTROL,
    HIDDEN,
    ScrubbingFilter,
    Secret,
    log,
    log_about,
    remember,
    scrub,
)
from cloud_history.state.credentials import ApiKey
from support.examples import examples

KEY = "comfyui-unit+secret/100%25=0123456789abcdef"
QUOTED = quote(KEY, safe="")


@pytest.fixture
def secret() -> Secret:
    return Secret(KEY)


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        ascii,
        format,
        "{}".format,
        "{!r:>60}".format,
        "{:>60}".format,
        "{0!s}".format,
        lambda each: f"{each:x}",
        lambda each: logging.makeLogRecord({"msg": "%s %r", "args": (each, each)}).getMessage(),
        lambda each: str([each]),
        lambda each: str({"key": each}),
        lambda each: repr(ApiKey(each, "env")),
    ],
)
def test_converting_a_secret_to_text_never_shows_it(secret: Secret, show: object) -> None:
    shown = show(secret)  # type: ignore[operator]
    assert HIDDEN in shown
    assert KEY[:8] not in shown
    assert KEY[-4:] not in shown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(secret: Secret, protocol: int) -> None:
    for each in (secret, [secret], ApiKey(secret, "saved")):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(each, protocol)
        assert KEY not in str(caught.value)


def test_a_secret_cannot_be_copied_into_another_form(secret: Secret) -> None:
    for attempt in (copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            attempt(secret)
    with pytest.raises(TypeError):
        dataclasses.asdict(ApiKey(secret, "env"))
    with pytest.raises(TypeError):
        vars(secret)


def test_a_secret_equals_only_another_secret(secret: Secret) -> None:
    assert secret.reveal() == KEY
    assert (secret == Secret(KEY), hash(secret) == hash(Secret(KEY))) == (True, True)
    assert secret != Secret(KEY + "x")
    assert secret != KEY
    assert bool(secret)
    assert not Secret("")


@pytest.mark.parametrize(
    ("text", "last4"),
    [("", ""), ("abcdefgh", ""), ("0123456789abcde", ""), ("0123456789abcdef", "cdef"), (KEY, "cdef")],
)
def test_last4_is_empty_for_secrets_of_fewer_than_16_characters(text: str, last4: str) -> None:
    assert Secret(text).last4 == last4


def test_scrubbing_removes_a_secret_in_plain_and_url_encoded_form(secret: Secret) -> None:
    text = f"a {KEY} b {QUOTED} c{KEY}{KEY}"
    assert scrub(text) == f"a {HIDDEN} b {HIDDEN} c{HIDDEN}{HIDDEN}"


def test_scrubbing_removes_the_decoded_form_of_a_url_encoded_secret() -> None:
    remember("unit%40p%2Fw-secret")
    assert scrub("unit%40p%2Fw-secret unit@p/w-secret") == f"{HIDDEN} {HIDDEN}"


def test_scrubbing_removes_all_of_a_secret_that_contains_another_secret() -> None:
    remember("unit-secret-inner")
    remember("unit-secret-inner-and-more")
    assert scrub("<unit-secret-inner-and-more>") == f"<{HIDDEN}>"


def test_scrubbing_ignores_secrets_that_are_too_short() -> None:
    remember("a")
    remember("")
    remember("get")
    assert scrub("a widget, to get it") == "a widget, to get it"


# Encodings of the API key

FORMS = (
    KEY,
    QUOTED,
    quote(KEY, safe="").lower(),
    json.dumps(KEY)[1:-1],
    KEY.upper(),
    KEY.title(),
    KEY.swapcase(),
)
"""Encodings of the key. HTML and Python forms are left out, because they differ only for keys with quotes."""
around = st.text(st.sampled_from([*"cofyui-+/%25=0123 ABCabc\n\u0130\u212a\u00df", *KEY]), max_size=30)


@given(st.lists(st.one_of(around, st.sampled_from(FORMS)), max_size=9))
@examples(200)
def test_the_api_key_is_hidden_in_any_text_in_every_encoding_and_case(pieces: list[str]) -> None:
    remember(KEY)
    shown = scrub("".join(pieces))
    assert not [form for form in FORMS if form.lower() in shown.lower()]
    assert scrub(shown) == shown


@given(around, st.integers(0, len(KEY)), st.integers(0, len(KEY)), around)
@examples(200)
def test_no_sixteen_characters_of_a_long_api_key_are_shown(before: str, start: int, end: int, after: str) -> None:
    remember(KEY)
    shown = scrub(before + KEY[start:end] + after).lower()
    assert not [at for at in range(len(KEY) - 15) if KEY[at : at + 16].lower() in shown]


def test_a_text_truncated_within_the_api_key_shows_no_part_of_the_key(secret: Secret) -> None:
    assert scrub(f"Invalid API key {KEY[:-1]}…") == f"Invalid API key {HIDDEN}…"
    assert scrub(f"…{KEY[5:]} is not one").replace(HIDDEN * 2, HIDDEN) == f"…{HIDDEN} is not one"


def test_a_text_that_shares_a_few_characters_with_the_api_key_is_not_hidden(secret: Secret) -> None:
    text = "comfyui-unit, COMFYUI-UNIT+ and 100%25=0123 are words"
    assert scrub(text) == text


def test_an_api_key_with_quotes_is_hidden_in_json_html_and_python_notation() -> None:
    key = 'comfyui-<quoted>&"twice"\\and-more'
    remember(key)
    for written in (json.dumps({"note": key}), escape(key), repr(["'", key])):
        assert "comfyui" not in scrub(written)
        assert "and-more" not in scrub(written)


def test_an_api_key_of_repeated_blocks_is_hidden() -> None:
    remember("abcdefgh" * 2 + "ijklmnop" + "abcdefgh" * 2)
    assert scrub("abcdefgh" * 3 + "ijklmnop" + "abcdefgh" * 3) == f"abcdefgh{HIDDEN}abcdefgh"


def test_scrubbing_a_text_of_many_key_prefixes_is_not_quadratic(secret: Secret) -> None:
    text = KEY[:8] * 40_000
    assert scrub(text) == text


# The log


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Return the text that a log handler of another package, with its own formatter, writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s %(args)s"))
    logger, level = logging.getLogger(), log.level
    logger.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    log.setLevel(level)


def assert_hidden(text: str) -> None:
    assert HIDDEN in text
    for each in (KEY, QUOTED):
        assert each not in text


def test_the_logger_is_named_for_the_package_and_has_one_filter() -> None:
    assert log.name == "cloud_history"
    assert sum(isinstance(each, ScrubbingFilter) for each in log.filters) == 1


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_log_messages_and_their_arguments_are_scrubbed(secret: Secret, written: io.StringIO, level: str) -> None:
    say = getattr(log, level)
    say(f"in the message {KEY}")
    say("as an argument %s and %r", KEY, {"url": QUOTED})
    say("named %(key)s", {"key": KEY})
    say(secret)
    assert len(written.getvalue().splitlines()) == 4
    assert_hidden(written.getvalue())


def fail() -> None:
    try:
        raise ValueError(f"the cause holds {KEY}")
    except ValueError as exc:
        raise RuntimeError("so does this", KEY, QUOTED) from exc


def test_tracebacks_in_the_log_are_scrubbed_including_chained_exceptions(secret: Secret, written: io.StringIO) -> None:
    try:
        fail()
    except RuntimeError as exc:
        log.exception("It failed.")
        log.error("And again: %s", exc, exc_info=exc)
    text = written.getvalue()
    assert text.count("RuntimeError") >= 2
    assert text.count("ValueError: the cause holds") == 2
    assert "in fail" in text
    assert_hidden(text)


def test_log_handlers_of_other_packages_receive_only_the_scrubbed_text(
    secret: Secret, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        fail()
    except RuntimeError:
        log.exception("It failed with %s", KEY)
    (record,) = caplog.records
    assert_hidden(repr(vars(record)))


def test_a_log_call_with_wrong_arguments_raises_nothing(
    written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    log.error("%s and %s", "one only")
    log.error("%d", "no number")


HOSTILE = "7\nERROR forged\r\nERROR too\rERROR \x1b[2J\x9b1m \u202egnp.txt\u2028ERROR \x00 \ud800"


def test_text_from_outside_cannot_start_a_new_log_line(written: io.StringIO) -> None:
    log.warning("A node said %s.", HOSTILE)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        log.exception("It failed.")
    first, *others = written.getvalue().splitlines()
    assert "cloud_history WARNING A node said 7" in first
    assert sum("cloud_history ERROR It failed." in line for line in others) == 1
    assert [line for line in others if not line.startswith("    ") and "It failed" not in line] == []
    assert not [each for each in written.getvalue() if each != "\n" and CONTROL.match(each)]


def test_the_log_escapes_control_characters_and_keeps_line_breaks(written: io.StringIO) -> None:
    log.info("2 jobs removed.\n  %s", "an id\x1b[31m")
    assert "2 jobs removed.\n      an id\\x1b[31m" in written.getvalue()


def test_logging_with_exc_info_but_no_exception_works(written: io.StringIO) -> None:
    log.error("nothing was raised", exc_info=True)
    assert "nothing was raised" in written.getvalue()


def test_log_lines_about_an_operation_begin_with_its_shortened_id(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="cloud_history"):
        with log_about("0123456789abcdef" * 2):
            log.warning("It was %s.\nThen more.", "cancelled")
        log.warning("Nothing runs.")
    assert caplog.messages == ["[01234567] It was cancelled.\n    Then more.", "Nothing runs."]
