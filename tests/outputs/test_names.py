"""Names of saved files are safe on Windows, macOS and Linux, whatever the server calls its outputs."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.outputs.names import (
    JOB_FILE,
    MAX_FOLDER_BYTES,
    MAX_NAME_BYTES,
    UNNAMED,
    numbered,
    safe_folder,
    safe_name,
    same_on_disk,
)
from support.examples import examples
from support.trap_names import DEVICES, SUPERSCRIPT_DEVICES, TRAP_NAMES

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=200)
NASTY = st.text(st.sampled_from("./\\:-_ aAnulcom1¹(2)partjson\x00\u0301\u200d\u202eé猫\ud800"), max_size=160)


def assert_safe(name: str, most: int = MAX_NAME_BYTES) -> None:
    """Check by means of the standard library, and by lists of this test, that a name is safe."""
    assert 1 <= len(name.encode("utf-8")) <= most
    assert len(unicodedata.normalize("NFD", name).encode("utf-16-le")) // 2 <= 255
    assert PureWindowsPath(name).parts == (name,)
    assert PurePosixPath(name).parts == (name,)
    assert not PureWindowsPath(name).drive
    assert name not in (".", "..")
    assert not name.startswith((".", "-", " "))
    assert not name.endswith((".", " "))
    assert not name.lower().endswith(".part")
    assert not set(name) & set('<>:"/\\|?*')
    assert not {unicodedata.category(each) for each in name} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert unicodedata.is_normalized("NFC", name)
    devices = {each.casefold() for each in (*DEVICES, *SUPERSCRIPT_DEVICES)}
    assert name.split(".")[0].strip().casefold() not in devices
    assert not same_on_disk(name, JOB_FILE)


def test_there_are_more_than_500_trap_names() -> None:
    assert len(TRAP_NAMES) > 500


@pytest.mark.parametrize("number", range(len(TRAP_NAMES)), ids=lambda number: repr(TRAP_NAMES[number])[:40])
def test_a_trap_name_becomes_a_safe_name(number: int) -> None:
    trap = TRAP_NAMES[number]
    assert_safe(safe_name(trap))
    assert safe_name(safe_name(trap)) == safe_name(trap)
    assert_safe(safe_folder(trap), MAX_FOLDER_BYTES)
    assert safe_folder(safe_folder(trap)) == safe_folder(trap)
    for times in (2, 10, 999_999):
        assert_safe(numbered(safe_name(trap), times))


@given(ANY_TEXT | NASTY)
@examples(1500)
def test_any_text_becomes_a_safe_name_that_stays_the_same_if_made_safe_again(text: str) -> None:
    name = safe_name(text)
    assert_safe(name)
    assert safe_name(name) == name
    assert_safe(numbered(name, 12))
    assert_safe(safe_folder(text), MAX_FOLDER_BYTES)


@pytest.mark.parametrize(
    "name",
    [
        "ComfyUI_00001_.png",
        "猫と犬.webp",
        "portrait (final).mp4",
        "a.b.c.safetensors",
        "ünïcode name.flac",
        "mesh.glb",
        "_hidden",
        "connection.png",
        "com10.png",
        "nulls.txt",
        "part",
        "apart",
        "jobs.json",
    ],
)
def test_an_ordinary_name_is_kept(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("", UNNAMED),
        ("..", UNNAMED),
        ("../../etc/passwd", "_.._.._etc_passwd"),
        ("C:\\Windows\\a.png", "C__Windows_a.png"),
        ("nul.png", "_nul.png"),
        ("COM¹.txt", "_COM¹.txt"),
        ("a.png\x00.exe", "a.png_.exe"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("picture.png. . ", "picture.png"),
        ("e\u0301.png", "é.png"),
        ("a.part", "a_part"),
        ("JOB.json", "_JOB.json"),
        ("-rf", "_-rf"),
        (".htaccess", "_.htaccess"),
    ],
)
def test_a_name_changes_only_where_it_must(given_name: str, expected: str) -> None:
    assert safe_name(given_name) == expected


@pytest.mark.parametrize("character", ["a", "猫", "😀", "ΐ"])
def test_a_long_name_is_cut_between_characters_and_keeps_its_extension(character: str) -> None:
    name = safe_name(character * 400 + ".safetensors")
    assert name.endswith(character + ".safetensors")
    assert MAX_NAME_BYTES - 4 < len(name.encode("utf-8")) <= MAX_NAME_BYTES


def test_the_extension_of_a_text_of_megabytes_is_kept() -> None:
    assert safe_name("e\u0301" * 2_000_000 + ".webm").endswith(".webm")


def test_a_number_goes_before_the_extension_of_a_name() -> None:
    assert numbered("picture.png", 1) == "picture.png"
    assert numbered("picture.png", 2) == "picture (2).png"
    assert numbered("a.tar.gz", 3) == "a.tar (3).gz"
    assert numbered("README", 4) == "README (4)"
    assert numbered("猫" * 38 + ".webm", 12).endswith(" (12).webm")
    assert len({numbered(safe_name("x" * 500 + ".png"), number) for number in range(1, 1001)}) == 1000


@pytest.mark.parametrize(
    ("one", "other"),
    [("a.png", "A.PNG"), ("é.png", "E\u0301.png"), ("Å", "\u212b"), ("straße", "STRASSE"), ("ﬁ", "FI"), ("ſ", "s")],
)
def test_names_that_a_disk_may_confuse_count_as_the_same(one: str, other: str) -> None:
    assert same_on_disk(one, other)


def test_names_of_different_files_do_not_count_as_the_same() -> None:
    assert not same_on_disk("a.png", "b.png")
    assert not same_on_disk("a.png", "a (2).png")
