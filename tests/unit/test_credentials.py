"""Where the key comes from, and what is taken for a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_history.errors import InvalidApiKey, KeyFileDamaged, ManyUsers, MissingApiKey
from cloud_history.secret import Secret, scrub
from cloud_history.state.credentials import (
    KEY_VARIABLE,
    SHARED_VARIABLE,
    ApiKey,
    KeyStore,
    clean_key,
    looks_usual,
)
from support.shown_error import everything_of

KEY = "comfyui-unit-credentials-0123456789abcdef"
OTHER = "comfyui-unit-credentials-fedcba9876543210"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "below" / "state"


# Which key is in force


def test_no_key_anywhere_is_no_key(folder: Path) -> None:
    assert KeyStore(folder, {}).find() is None
    with pytest.raises(MissingApiKey) as caught:
        KeyStore(folder, {}).get()
    assert caught.value.code == "missing_key"
    assert KEY_VARIABLE in caught.value.hint
    assert not folder.exists(), "looking for a key makes no folder"


def test_the_environment_s_key_wins_over_the_saved_one(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    assert KeyStore(folder, {KEY_VARIABLE: KEY}).get() == ApiKey(Secret(KEY), "env")
    assert KeyStore(folder, {}).get() == ApiKey(Secret(OTHER), "saved")


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_key_in_the_environment_is_none(folder: Path, blank: str) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    assert KeyStore(folder, {KEY_VARIABLE: blank}).get().source == "saved"


def test_an_unusable_key_in_the_environment_is_told_and_no_other_key_is_used_instead(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    with pytest.raises(InvalidApiKey) as caught:
        KeyStore(folder, {KEY_VARIABLE: "comfyui-two words"}).find()
    assert KEY_VARIABLE in caught.value.message
    assert "two words" not in everything_of(caught.value)


def test_the_environment_of_the_process_is_read_at_each_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = KeyStore(folder)
    for key in (KEY, OTHER):
        monkeypatch.setenv(KEY_VARIABLE, key)
        assert store.get().secret.reveal() == key


def test_a_key_of_the_prompt_comes_last(folder: Path) -> None:
    of_prompt = Secret("comfyui-unit-credentials-of-a-prompt")
    assert KeyStore(folder, {}).get(of_prompt) == ApiKey(of_prompt, "prompt")
    assert KeyStore(folder, {KEY_VARIABLE: KEY}).get(of_prompt).source == "env"
    KeyStore(folder, {}).save(Secret(OTHER))
    assert KeyStore(folder, {}).get(of_prompt).source == "saved"


def test_a_key_of_the_prompt_takes_the_place_of_none_that_is_damaged(folder: Path) -> None:
    with pytest.raises(InvalidApiKey):
        KeyStore(folder, {KEY_VARIABLE: "two words"}).get(Secret(KEY))
    (folder / "api_key.json").mkdir(parents=True)
    with pytest.raises(KeyFileDamaged):
        KeyStore(folder, {}).get(Secret(KEY))


# Several users that cannot be told apart


def test_with_several_users_only_a_key_of_the_prompt_is_used(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    store = KeyStore(folder, {KEY_VARIABLE: KEY}, many_users=True)
    for look in (store.find, store.get, store.check_users, lambda: store.save(Secret(OTHER))):
        with pytest.raises(ManyUsers) as caught:
            look()
        assert caught.value.code == "many_users"
        assert "COMFY_CLOUD_HISTORY_SHARED=1" in caught.value.hint
    of_prompt = Secret("comfyui-unit-credentials-of-a-user")
    assert store.get(of_prompt) == ApiKey(of_prompt, "prompt")


def test_with_several_users_a_missing_key_is_no_key_to_connect(folder: Path) -> None:
    with pytest.raises(ManyUsers):
        KeyStore(folder, {}, many_users=True).get()


def test_with_several_users_who_share_one_key_all_is_as_ever(folder: Path) -> None:
    store = KeyStore(folder, {SHARED_VARIABLE: " 1 "}, many_users=True)
    store.check_users()
    store.save(Secret(KEY))
    assert store.get() == ApiKey(Secret(KEY), "saved")


@pytest.mark.parametrize("named", ["", "0", "yes", "true", "11"])
def test_only_a_1_says_that_they_share_it(folder: Path, named: str) -> None:
    with pytest.raises(ManyUsers):
        KeyStore(folder, {KEY_VARIABLE: KEY, SHARED_VARIABLE: named}, many_users=True).get()


def test_with_several_users_the_keys_that_are_not_used_are_scrubbed_all_the_same(folder: Path) -> None:
    hidden = "comfyui-unit-credentials-of-many-0123"
    KeyStore(folder, {KEY_VARIABLE: hidden}, many_users=True).remember()
    assert hidden not in scrub(f"the key {hidden}")


# What is taken for a key


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f"  {KEY}\r\n",
        f'"{KEY}"',
        f"'{KEY}' ",
        f"`{KEY}`",
        f"“{KEY}”",
        f"\u200b{KEY}\ufeff",
        f"\x00{KEY}\x1b",
        f"«‘{KEY}’»",
    ],
    ids=ascii,
)
def test_what_wraps_a_pasted_key_is_taken_off(pasted: str) -> None:
    assert clean_key(pasted).reveal() == KEY


@pytest.mark.parametrize("pasted", ["", " \n\t", '""', "“”", "\u200b\x00"], ids=ascii)
def test_a_key_of_nothing_is_refused(pasted: str) -> None:
    with pytest.raises(InvalidApiKey) as caught:
        clean_key(pasted)
    assert caught.value.message == "The API key is empty."


@pytest.mark.parametrize(
    "pasted",
    [
        "comfyui-a b",
        "comfyui-a\tb",
        "comfyui-a\r\nX-Other: b",
        "comfyui-a\x00b",
        "comfyui-a\x7fb",
        "comfyui-é",
        "comfyui-\uff11\uff12",
        "comfyui-a\u200bb",
        "k" * 1001,
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_a_key_that_no_header_can_carry_is_refused_without_being_quoted(pasted: str) -> None:
    with pytest.raises(InvalidApiKey) as caught:
        clean_key(pasted)
    assert caught.value.code == "invalid_key"
    assert pasted not in everything_of(caught.value)
    assert caught.value.hint


def test_every_printable_ascii_character_can_be_in_a_key() -> None:
    text = "k" + "".join(map(chr, range(33, 127))) + "k"
    assert clean_key(text).reveal() == text
    assert len(clean_key("k" * 1000).reveal()) == 1000


def test_a_key_without_the_usual_prefix_is_only_remarked_upon() -> None:
    assert looks_usual(clean_key(KEY))
    assert not looks_usual(clean_key("sk-something-else"))
