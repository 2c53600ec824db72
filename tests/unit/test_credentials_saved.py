"""How a saved key is kept: its owner's alone, whole or not at all, and told when it cannot be read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from cloud_history.errors import CloudError, KeyFileDamaged, StateUnwritable
from cloud_history.secret import Secret
from cloud_history.state.credentials import KEY_VARIABLE, ApiKey, KeyStore
from support.shown_error import everything_of

KEY = "comfyui-unit-credentials-0123456789abcdef"
OTHER = "comfyui-unit-credentials-fedcba9876543210"

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def file_of(folder: Path) -> Path:
    return folder / "api_key.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "below" / "state"


def test_a_saved_key_is_found_by_the_next_process(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(KEY))
    assert KeyStore(folder, {}).get() == ApiKey(Secret(KEY), "saved")
    assert json.loads(file_of(folder).read_text(encoding="utf-8")) == {"api_key": KEY}


@posix_only
def test_a_saved_key_and_its_folder_are_its_owner_s_alone_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        KeyStore(folder, {}).save(Secret(KEY))
    finally:
        os.umask(before)
    assert (mode(folder), mode(file_of(folder))) == (0o700, 0o600)


@posix_only
def test_saving_over_a_readable_file_makes_it_its_owner_s_alone(folder: Path) -> None:
    KeyStore(folder, {}).save(Secret(OTHER))
    path = file_of(folder)
    path.chmod(0o644)
    KeyStore(folder, {}).save(Secret(KEY))
    assert (file_of(folder), mode(path)) == (path, 0o600)


@posix_only
def test_the_key_is_never_in_a_file_others_could_read_not_even_while_it_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
def test_a_save_that_fails_leaves_the_older_key_and_no_draft(
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
    assert KEY not in everything_of(caught.value)
    assert {path.name for path in folder.iterdir() if not path.name.startswith("state_folder")} == {
        "api_key.json"
    }
    assert store.get().secret.reveal() == OTHER


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way", encoding="utf-8")
    with pytest.raises(StateUnwritable) as caught:
        KeyStore(tmp_path / "state", {}).save(Secret(KEY))
    assert KEY not in everything_of(caught.value)
    assert caught.value.code == "state_unwritable"


def test_a_removed_key_is_gone_and_removing_none_is_no_fault(folder: Path) -> None:
    store = KeyStore(folder, {})
    store.remove()
    store.save(Secret(KEY))
    store.remove()
    assert store.find() is None
    assert not any(KEY in path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())


def test_removing_the_saved_key_leaves_the_environment_s(folder: Path) -> None:
    store = KeyStore(folder, {KEY_VARIABLE: KEY})
    store.save(Secret(OTHER))
    store.remove()
    assert store.get() == ApiKey(Secret(KEY), "env")


def test_a_key_that_cannot_be_removed_is_told(folder: Path) -> None:
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
def test_a_damaged_file_is_told_and_neither_quoted_nor_removed(folder: Path, content: bytes) -> None:
    store = KeyStore(folder, {})
    store.save(Secret(OTHER))
    path = file_of(folder)
    path.write_bytes(content)
    with pytest.raises(KeyFileDamaged) as caught:
        store.find()
    assert caught.value.code == "key_file_damaged"
    assert isinstance(caught.value, CloudError)
    assert KEY not in everything_of(caught.value)
    assert path.read_bytes() == content
    store.save(Secret(KEY))
    assert store.get().secret.reveal() == KEY


def test_a_key_file_that_is_a_folder_is_told(folder: Path) -> None:
    (folder / "api_key.json").mkdir(parents=True)
    with pytest.raises(KeyFileDamaged):
        KeyStore(folder, {}).find()
