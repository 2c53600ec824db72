"""Where the key comes from, what counts as a key, and how it is saved."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from cloud_history import environment
from cloud_history.errors import (
    CloudError,
    InvalidApiKey,
    KeyFileDamaged,
    MissingApiKey,
    SharedKeyRefused,
    StateUnwritable,
)
from cloud_history.secret import Secret, scrub
from cloud_history.state.credentials import (
    ApiKey,
    KeyStore,
    clean_key,
    has_usual_prefix,
)
from support.shown_error import all_text_of

KEY = "comfyui-unit-credentials-0123456789abcdef"
OTHER = "comfyui-unit-credentials-fedcba9876543210"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "below" / "state"


# Which key is used


def test_without_a_configured_key_the_lookup_finds_no_key(folder: Path) -> None:
    assert KeyStore(folder, {}).find() is None
    with pytest.raises(MissingApiKey) as caught:
        KeyStore(folder, {}).get()
    assert caught.value.code == "missing_key"
    assert environment.API_KEY in caught.value.hint
    assert not folder.exists(), "looking for a key makes no folder"


def test_the_environment_key_takes_precedence_over_the_saved_key(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    assert KeyStore(folder, {environment.API_KEY: KEY}).get() == ApiKey(Secret(KEY), "env")
    assert KeyStore(folder, {}).get() == ApiKey(Secret(OTHER), "saved")


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_blank_key_in_the_environment_is_ignored(folder: Path, blank: str) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    assert KeyStore(folder, {environment.API_KEY: blank}).get().source == "saved"


def test_an_unusable_key_in_the_environment_is_an_error_and_no_other_key_is_used(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    with pytest.raises(InvalidApiKey) as caught:
        KeyStore(folder, {environment.API_KEY: "comfyui-two words"}).find()
    assert environment.API_KEY in caught.value.message
    assert "two words" not in all_text_of(caught.value)


def test_the_environment_key_is_read_at_each_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = KeyStore(folder)
    for key in (KEY, OTHER):
        monkeypatch.setenv(environment.API_KEY, key)
        assert store.get().secret.reveal() == key


def test_the_prompt_key_is_used_only_without_an_environment_key_or_saved_key(folder: Path) -> None:
    of_prompt = Secret("comfyui-unit-credentials-of-a-prompt")
    assert KeyStore(folder, {}).get(of_prompt) == ApiKey(of_prompt, "prompt")
    assert KeyStore(folder, {environment.API_KEY: KEY}).get(of_prompt).source == "env"
    KeyStore(folder, {}).save(Secret(OTHER))
    assert KeyStore(folder, {}).get(of_prompt).source == "saved"


def test_a_prompt_key_does_not_replace_a_damaged_saved_key(folder: Path) -> None:
    with pytest.raises(InvalidApiKey):
        KeyStore(folder, {environment.API_KEY: "two words"}).get(Secret(KEY))
    (folder / "api_key.json").mkdir(parents=True)
    with pytest.raises(KeyFileDamaged):
        KeyStore(folder, {}).get(Secret(KEY))


# Several users of one ComfyUI


def test_with_several_users_only_the_prompt_key_is_used(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    store = KeyStore(folder, {environment.API_KEY: KEY}, many_users=True)
    for look in (store.find, store.get, store.check_key_is_not_shared, lambda: store.save(Secret(OTHER))):
        with pytest.raises(SharedKeyRefused) as caught:
            look()
        assert caught.value.code == "many_users"
        assert "COMFY_CLOUD_HISTORY_SHARED=1" in caught.value.hint
    of_prompt = Secret("comfyui-unit-credentials-of-a-user")
    assert store.get(of_prompt) == ApiKey(of_prompt, "prompt")


def test_with_several_users_a_missing_key_does_not_ask_to_connect(folder: Path) -> None:
    with pytest.raises(SharedKeyRefused):
        KeyStore(folder, {}, many_users=True).get()


def test_several_users_who_share_one_key_can_use_it(folder: Path) -> None:
    store = KeyStore(folder, {environment.SHARED_KEY: " 1 "}, many_users=True)
    store.check_key_is_not_shared()
    store.save(Secret(KEY))
    assert store.get() == ApiKey(Secret(KEY), "saved")


@pytest.mark.parametrize("named", ["", "0", "yes", "true", "11"])
def test_only_the_value_1_allows_several_users_to_share_a_key(folder: Path, named: str) -> None:
    with pytest.raises(SharedKeyRefused):
        KeyStore(folder, {environment.API_KEY: KEY, environment.SHARED_KEY: named}, many_users=True).get()


def test_with_several_users_unused_keys_are_still_scrubbed(folder: Path) -> None:
    hidden = "comfyui-unit-credentials-of-many-0123"
    KeyStore(folder, {environment.API_KEY: hidden}, many_users=True).remember()
    assert hidden not in scrub(f"the key {hidden}")


# Which texts are valid keys


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
def test_quotes_and_spaces_around_a_pasted_key_are_removed(pasted: str) -> None:
    assert clean_key(pasted).reveal() == KEY


@pytest.mark.parametrize("pasted", ["", " \n\t", '""', "“”", "\u200b\x00"], ids=ascii)
def test_an_empty_key_is_refused(pasted: str) -> None:
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
def test_a_key_with_invalid_header_characters_is_refused_and_not_quoted(pasted: str) -> None:
    with pytest.raises(InvalidApiKey) as caught:
        clean_key(pasted)
    assert caught.value.code == "invalid_key"
    assert pasted not in all_text_of(caught.value)
    assert caught.value.hint


def test_every_printable_ascii_character_can_be_in_a_key() -> None:
    text = "k" + "".join(map(chr, range(33, 127))) + "k"
    assert clean_key(text).reveal() == text
    assert len(clean_key("k" * 1000).reveal()) == 1000


def test_a_key_without_the_usual_prefix_is_only_flagged() -> None:
    assert has_usual_prefix(clean_key(KEY))
    assert not has_usual_prefix(clean_key("sk-something-else"))


# The saved key


posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def file_of(folder: Path) -> Path:
    return folder / "api_key.json"


def test_a_saved_key_is_found_by_the_next_process(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(KEY))
    assert KeyStore(folder, {}).get() == ApiKey(Secret(KEY), "saved")
    assert json.loads(file_of(folder).read_text(encoding="utf-8")) == {"api_key": KEY}


@posix_only
def test_the_key_file_is_private_even_while_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, bytes]] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        real(descriptor)
        seen.extend((mode(path), path.read_bytes()) for path in folder.iterdir() if "api_key" in path.name)

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        KeyStore(folder, {}).save(Secret(KEY))
    finally:
        os.umask(before)
    assert any(KEY.encode() in content for _, content in seen)
    assert {found for found, _ in seen} == {0o600}


@pytest.mark.parametrize("broken", ["fsync", "replace", "write"])
def test_failing_to_save_a_key_keeps_the_older_key_and_leaves_no_temporary_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    store = KeyStore(folder, {})
    store.save(Secret(OTHER))

    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, broken, refuse)
        with pytest.raises(StateUnwritable) as caught:
            store.save(Secret(KEY))
    assert "No space left" in caught.value.message
    assert KEY not in all_text_of(caught.value)
    assert {path.name for path in folder.iterdir() if not path.name.startswith("state_folder")} == {"api_key.json"}
    assert store.get().secret.reveal() == OTHER


def test_failing_to_create_the_state_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way", encoding="utf-8")
    with pytest.raises(StateUnwritable) as caught:
        KeyStore(tmp_path / "state", {}).save(Secret(KEY))
    assert KEY not in all_text_of(caught.value)
    assert caught.value.code == "state_unwritable"


def test_a_removed_key_is_gone_and_removing_a_missing_key_is_no_error(folder: Path) -> None:
    store = KeyStore(folder, {})
    store.remove()
    store.save(Secret(KEY))
    store.remove()
    assert store.find() is None
    assert not any(KEY in path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())


def test_removing_the_saved_key_keeps_the_environment_key(folder: Path) -> None:
    store = KeyStore(folder, {environment.API_KEY: KEY})
    store.save(Secret(OTHER))
    store.remove()
    assert store.get() == ApiKey(Secret(KEY), "env")


def test_failing_to_remove_the_key_is_reported(folder: Path) -> None:
    store = KeyStore(folder, {})
    store.save(Secret(KEY))
    path = file_of(folder)
    path.unlink()
    path.mkdir()
    with pytest.raises(StateUnwritable):
        store.remove()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"api_key": null}',
        b'{"api_key": 5}',
        b'{"api_key": ""}',
        b'{"api_key": "two words"}',
        b'{"api_key": "' + KEY.encode(),
        b'{"api_key": "' + KEY.encode() + b'"}\xff',
        b"[" * 100_000,
    ],
    ids=lambda content: ascii(content[:40]),
)
def test_a_damaged_key_file_is_reported_and_neither_quoted_nor_removed(folder: Path, content: bytes) -> None:
    store = KeyStore(folder, {})
    store.save(Secret(OTHER))
    path = file_of(folder)
    path.write_bytes(content)
    with pytest.raises(KeyFileDamaged) as caught:
        store.find()
    assert caught.value.code == "key_file_damaged"
    assert isinstance(caught.value, CloudError)
    assert KEY not in all_text_of(caught.value)
    assert path.read_bytes() == content
    store.save(Secret(KEY))
    assert store.get().secret.reveal() == KEY


def test_a_folder_in_place_of_the_key_file_is_reported(folder: Path) -> None:
    (folder / "api_key.json").mkdir(parents=True)
    with pytest.raises(KeyFileDamaged):
        KeyStore(folder, {}).find()
